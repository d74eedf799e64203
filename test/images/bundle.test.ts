// The bundles in the images: each runs without the repository, and stack traces point to the TypeScript sources.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, glob, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { bundleService, ROOT, SERVICES } from '../../build/bundle.ts';
import { compile, NODE_FLAGS, serviceVariables } from '../../build/compile.ts';
import { ENVIRONMENT, entrypoint, readVersion } from '../../build/image-contents.ts';

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'countersign-bundle-'));
  for (const service of SERVICES) await bundleService(service, join(dir, service));
});
after(() => rm(dir, { recursive: true, force: true }));

for (const service of SERVICES) {
  test(`the ${service} bundle runs without node_modules`, async () => {
    const bundle = join(dir, service, `${service}.mjs`);
    const { stdout } = await promisify(execFile)(process.execPath, [bundle, '--help'], { cwd: dir });
    assert.match(stdout, new RegExp(`^Usage: countersign-${service}`));
  });

  test(`the ${service} bundle does not load Node's fetch, which would cost 25 ms per start`, async () => {
    const atExit = 'process.on("exit", () => process.stderr.write(process.moduleLoadList.join("\\n")))';
    const args = ['--import', `data:text/javascript,${atExit}`, join(dir, service, `${service}.mjs`), '--help'];
    const { stderr } = await promisify(execFile)(process.execPath, args);
    assert.match(stderr, /NativeModule http$/m);
    assert.doesNotMatch(stderr, /undici/);
  });

  test(`the ${service} starts without the API models of client-node${service === 'approver' ? '' : ' and without CEL'}`, async () => {
    const sources = await sourcesAtStart(join(dir, service), `${service}.mjs`);
    const unwanted = sources.filter(source => /client-node\/.*\/gen\/models\//.test(source));
    assert.deepEqual(unwanted, []);
    assert.equal(
      sources.some(source => source.includes('@bufbuild/cel/')),
      service === 'approver',
    );
  });

  test(`the compile cache of the ${service} bundle works for any user and after the folder has moved`, async () => {
    const [made, moved] = [join(dir, `made-${service}`), join(dir, `moved-${service}`)];
    await cp(join(dir, service), made, { recursive: true });
    await compile(join(made, `${service}.mjs`));
    await rename(made, moved);
    for await (const file of glob(join(moved, 'compile-cache', '*', '*')))
      assert.equal((await stat(file)).mode & 0o777, 0o644);
    const env = { ...process.env, ...serviceVariables(moved), NODE_DEBUG_NATIVE: 'COMPILE_CACHE' };
    const args = [...NODE_FLAGS, join(moved, `${service}.mjs`), '--help'];
    const { stderr } = await promisify(execFile)(process.execPath, args, { env });
    assert.match(stderr, new RegExp(`${service}\\.mjs was accepted`));
    const [folder] = await readdir(join(moved, 'compile-cache'));
    const compiled = await readdir(join(moved, 'compile-cache', folder ?? ''));
    assert.equal(compiled.length, (await filesOf(moved, '.mjs')).length);
  });

  test(`the Dockerfile and the images built without Docker start the ${service} with the same command and environment`, async () => {
    const dockerfile = await readFile(join(ROOT, 'Dockerfile'), 'utf8');
    const command = entrypoint(service).map(argument => JSON.stringify(argument));
    assert.ok(dockerfile.includes(`\nENTRYPOINT [${command.join(', ')}]\n`), command.join(', '));
    const variables = Object.entries(ENVIRONMENT).map(([name, value]) => `${name}=${value}`);
    assert.ok(dockerfile.includes(`\nENV ${variables.join(' ')}\n`), variables.join(' '));
  });

  test(`the source map of the ${service} bundle points to the matching line of the source`, async () => {
    const lines = (await readFile(join(dir, service, `${service}.mjs`), 'utf8')).split('\n');
    const payload = JSON.parse(await readFile(join(dir, service, `${service}.mjs.map`), 'utf8'));
    const call = 'requireNode();';
    const line = lines.findLastIndex(text => text.trim() === call);
    const entry = new SourceMap(payload).findEntry(line, lines[line]?.indexOf(call) ?? 0);
    assert.ok('originalSource' in entry);
    assert.match(entry.originalSource, new RegExp(`services/${service}/main.ts$`));
    const original = (await readFile(join(dir, service, entry.originalSource), 'utf8')).split('\n');
    assert.equal(original[entry.originalLine]?.slice(entry.originalColumn), call);
  });

  test(`the bill of materials of the ${service} lists exactly the bundled packages`, async () => {
    const { metadata, components, dependencies } = JSON.parse(
      await readFile(join(dir, service, 'sbom.cdx.json'), 'utf8'),
    );
    assert.equal(metadata.component.name, 'countersign');
    const maps = await filesOf(join(dir, service), '.mjs.map');
    const sources = await Promise.all(maps.map(readSources));
    const named = new Set(components.map(({ name }: { name: string }) => name));
    const bundled = new Set(sources.flat().flatMap(source => packageOf(source) ?? []));
    assert.deepEqual(named, bundled);
    const references = new Set([
      `countersign@${await readVersion()}`,
      ...components.map((each: object) => Reflect.get(each, 'bom-ref')),
    ]);
    for (const { ref, dependsOn } of dependencies)
      for (const reference of [ref, ...dependsOn]) assert.ok(references.has(reference), reference);
  });
}

async function filesOf(folder: string, extension: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter(name => name.endsWith(extension)).map(name => join(folder, name));
}

async function readSources(map: string): Promise<readonly string[]> {
  return JSON.parse(await readFile(map, 'utf8')).sources;
}

/** Returns the source files of a file of a bundle and of all that it imports statically. */
async function sourcesAtStart(folder: string, file: string): Promise<readonly string[]> {
  const imported = (await readFile(join(folder, file), 'utf8')).matchAll(/^(?:import|\} from) ?"\.\/([^"]+)";$/gm);
  const others = await Promise.all(Array.from(imported, ([, name = '']) => sourcesAtStart(folder, name)));
  return [...(await readSources(join(folder, `${file}.map`))), ...others.flat()];
}

/** Returns the package of a source file, named as in npm's bill of materials (workspaces by folder). */
function packageOf(source: string): string | undefined {
  return (/.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source) ?? /services\/([^/]+)\//.exec(source))?.[1];
}
