// Holds the sources to the rules of the design that no compiler knows: who may import whom, where the world may be
// touched, and the form of a file.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Source {
  /** Relative to the root of the repository. */
  readonly path: string;
  readonly text: string;
  /** The text without comments. */
  readonly code: string;
  /** What it imports: paths of files in the repository, names of everything else. */
  readonly imports: readonly string[];
}

const SCOPES: Record<string, string> = {
  '@countersign/cli/': 'cli/',
  '@countersign/approver/': 'services/approver/',
  '@countersign/common/': 'services/common/',
  '@countersign/signer/': 'services/signer/',
  '@countersign/webhook/': 'services/webhook/',
};

function readSources(folder: string): Source[] {
  const entries = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter(entry => entry.name.endsWith('.ts') && !entry.parentPath.includes('node_modules'))
    .map(entry => readSource(relative(ROOT, join(entry.parentPath, entry.name))));
}

function readSource(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
  const names = [...code.matchAll(/(?:\bfrom|\bimport)[\s(]+'([^']+)'/g)].map(([, name]) => name ?? '');
  return { path, text, code, imports: names.map(name => resolveImport(path, name)) };
}

function resolveImport(path: string, name: string): string {
  if (name.startsWith('.')) return join(dirname(path), name);
  const scope = Object.keys(SCOPES).find(prefix => name.startsWith(prefix));
  return scope === undefined ? name : `${SCOPES[scope]}${name.slice(scope.length)}`;
}

const services = readSources('services');
const cli = readSources('cli');
/** All that users run. */
const programs = [...services, ...cli];
const tests = readSources('test');
const isIn = (folder: string) => (path: string) => path.startsWith(`services/${folder}/`);
const isCli = (path: string) => path.startsWith('cli/');
const isService = (path: string) => /^services\/(approver|signer|webhook)\//.test(path);
const isVocabulary = (path: string) => /^services\/common\/((issuers|pods|reasons)\/)?[^/]+\.ts$/.test(path);
const isX509 = isIn('common/x509');
const isApproval = isIn('common/approval');
const isPureCommon = (path: string) => isVocabulary(path) || isX509(path) || isApproval(path);
/** What the design demands to be pure; other files that say so at their head are held to it as well. */
const MUST_BE_PURE = [
  'services/webhook/admit.ts',
  'services/webhook/warnings.ts',
  'services/signer/decide.ts',
  'services/signer/issuance/profile.ts',
  'services/signer/issuance/prepare.ts',
  'services/signer/issuance/lint.ts',
  'services/signer/trust-bundles/anchors.ts',
  'services/signer/trust-bundles/desired-bundle.ts',
];
const saysPure = ({ text }: Source) => /\bPure\b/.test(text.slice(0, text.search(/^(?!\/\/)/m)));
const purePaths = new Set(programs.filter(saysPure).map(({ path }) => path));
const isPure = (path: string) => isPureCommon(path) || purePaths.has(path);

/** `path: what` for each source of `sources` in which `find` finds something that it may not have. */
function findings(sources: readonly Source[], find: (source: Source) => readonly string[]): string[] {
  return sources.flatMap(source => find(source).map(what => `${source.path}: ${what}`));
}

function importsOf(isFrom: (path: string) => boolean, isForbidden: (imported: string) => boolean): string[] {
  return findings(
    programs.filter(({ path }) => isFrom(path)),
    ({ imports }) => imports.filter(isForbidden),
  );
}

/** Sources, but for those allowed, whose code matches. */
function usesOf(pattern: RegExp, isAllowed: (path: string) => boolean): string[] {
  return findings(
    programs.filter(({ path }) => !isAllowed(path)),
    ({ code }) => [...code.matchAll(pattern)].map(([text]) => text),
  );
}

describe('the arrows between the rooms', () => {
  it('the arrows between the rooms are read from all sources', () => {
    assert.ok(services.length > 80 && services.every(({ imports }) => imports.length < 40));
    const main = services.find(({ path }) => path === 'services/signer/main.ts');
    assert.ok(
      main?.imports.includes('services/common/runtime/options/config.ts') &&
        main.imports.includes('services/signer/controllers/controller.ts'),
    );
  });

  const rules: Record<string, readonly [(path: string) => boolean, (imported: string) => boolean]> = {
    'never lead from the webhook to another service': [
      isIn('webhook'),
      name => isIn('signer')(name) || isIn('approver')(name),
    ],
    'never lead from the signer to another service': [
      isIn('signer'),
      name => isIn('webhook')(name) || isIn('approver')(name),
    ],
    'never lead from the approver to another service': [
      isIn('approver'),
      name => isIn('signer')(name) || isIn('webhook')(name),
    ],
    'never lead from common to a service': [isIn('common'), isService],
    'never lead from the command to a service': [isCli, isService],
    'never lead from a service to the command': [path => !isCli(path), isCli],
    'never lead from the vocabulary to its runtime': [isPureCommon, isIn('common/runtime')],
    'never lead from X.509 to Kubernetes': [
      isX509,
      name => isVocabulary(name) && !/\/(result|short-text)\.ts$/.test(name),
    ],
    'never lead from issuers and issuance to a kind of request': [
      path => isIn('signer/issuers')(path) || isIn('signer/issuance')(path) || isIn('signer/authority')(path),
      isIn('signer/requests'),
    ],
    'never lead from one kind of request to an issuer': [isIn('signer/requests'), isIn('signer/issuers')],
    'never lead from a service to the tests': [
      () => true,
      name => name.startsWith('test/') || name.startsWith('@countersign/test'),
    ],
    'never lead out of the services by a relative path': [
      () => true,
      name => name.startsWith('..') || /^(tools|charts)\//.test(name),
    ],
  };
  for (const [what, [isFrom, isForbidden]] of Object.entries(rules)) {
    it(what, () => assert.deepEqual(importsOf(isFrom, isForbidden), []));
  }
});

/** All that pure files may import in addition to each other: computation without input or output. */
const PURE_MODULES = new Set(['node:crypto', 'node:net', '@bufbuild/cel', '@bufbuild/cel/ext', '@bufbuild/re2']);
const isPureImport = (name: string) => PURE_MODULES.has(name) || isPure(name);

describe('pure files', () => {
  it('say so where the design demands it', () =>
    assert.deepEqual(
      MUST_BE_PURE.filter(path => !purePaths.has(path)),
      [],
    ));

  it('import nothing that reads or writes', () => {
    const pure = programs.filter(({ path }) => isPure(path));
    assert.deepEqual(
      findings(pure, ({ code, imports }) => imports.filter(name => !isPureImport(name) && !isTypeOnly(code, name))),
      [],
    );
  });

  it('pure files have no clock, no randomness and no process', () => {
    const world =
      /\b(process\.|Date\.now|new Date\(\)|performance\.|Math\.random|random(Bytes|Int|UUID)|setTimeout|setInterval|fetch\()/g;
    assert.deepEqual(
      usesOf(world, path => !isPure(path)),
      [],
    );
  });
});

/** Whether a module of the repository is imported for its types alone. */
function isTypeOnly(code: string, resolved: string): boolean {
  const file = resolved.split('/').at(-1);
  return [...code.matchAll(/import (type )?[^;]*?from '([^']+)'/g)].every(
    ([, type, name]) => name?.split('/').at(-1) !== file || type !== undefined,
  );
}

describe('one place for each thing', () => {
  const only =
    (...paths: readonly string[]) =>
    (path: string) =>
      paths.includes(path);
  const writers = only(
    'services/signer/writes/status-writer.ts',
    'services/approver/decision-writer.ts',
    'services/approver/policy-status.ts',
    'services/signer/issuer-status/constraint-publisher.ts',
    'services/common/runtime/controller/event-recorder.ts',
    'services/signer/issuer-status/issuer-readiness.ts',
    'services/common/runtime/controller/leader-lease.ts',
    'services/signer/trust-bundles/bundle-publisher.ts',
    'services/signer/issuers/cert-manager/approval.ts',
    'services/signer/issuers/cert-manager/delegation.ts',
    'services/webhook/managed-certificate/ca-bundle.ts',
    'services/webhook/managed-certificate/ca-secret.ts',
  );

  it('the Kubernetes library is known to the credentials alone', () => {
    const isAllowed = only(
      'services/common/runtime/credentials/kube-credentials.ts',
      'services/common/runtime/credentials/kubeconfig-file.ts',
    );
    assert.deepEqual(
      importsOf(
        path => !isAllowed(path),
        name => name.startsWith('@kubernetes/client-node'),
      ),
      [],
    );
  });
  it('@peculiar/x509 is known to the maker of the webhook’s certificates alone', () => {
    const isAllowed = only('services/webhook/managed-certificate/certificate-authority.ts');
    assert.deepEqual(
      importsOf(
        path => !isAllowed(path),
        name => name.startsWith('@peculiar/'),
      ),
      [],
    );
  });
  it('the CEL library is known to the expressions of approval policies alone', () =>
    assert.deepEqual(
      importsOf(
        path => !path.startsWith('services/common/approval/cel/'),
        name => name.startsWith('@bufbuild/'),
      ),
      [],
    ));
  it('environment and arguments are read by the configuration alone', () =>
    assert.deepEqual(
      usesOf(/process\.(env|argv)/g, only('services/common/runtime/options/config.ts', 'cli/main.ts')),
      [],
    ));
  it('only main ends the process', () =>
    assert.deepEqual(
      usesOf(/process\.(exit\b|exitCode|kill|abort)/g, path => path.endsWith('/main.ts')),
      [],
    ));
  it('no module has a variable', () => assert.deepEqual(usesOf(/^(export )?(let|var) \w+/gm, only()), []));
  it('only twelve files write to the cluster (ADR 14); a review and a token request write nothing', () =>
    assert.deepEqual(usesOf(/client\.(mergePatch|update|create|remove)\b/g, writers), [
      'services/common/runtime/kube/access-review.ts: client.create',
      'services/common/runtime/kube/own-username.ts: client.create',
      'services/signer/issuers/vault/service-account-token.ts: client.create',
    ]));
});

describe('every source', () => {
  const all = [...programs, ...tests];
  it('every source opens with a comment that says what it does', () =>
    assert.deepEqual(
      programs.filter(({ text }) => !text.startsWith('// ')).map(({ path }) => path),
      [],
    ));
  it('every source has comments of at most 120 columns', () =>
    assert.deepEqual(
      findings(all, ({ text }) =>
        text.split('\n').filter(line => line.length > 120 && /^ *(\/\/|\*|\/\*\*) /.test(line)),
      ),
      [],
    ));
  it('every source has at most 200 lines, a test 300', () =>
    assert.deepEqual(
      findings(all, ({ path, code }) => {
        const lines = code.split('\n').filter(line => line.trim() !== '').length;
        return lines > (path.startsWith('test/') ? 300 : 200) ? [`${lines} lines`] : [];
      }),
      [],
    ));
  it('exports by name, and only what is its own', () =>
    assert.deepEqual(
      findings(all, ({ code }) =>
        [...code.matchAll(/^export (default\b|\*|\{[^}]*\} from).*/gm)]
          .map(([text]) => text)
          .filter(text => !text.includes("'pino'")),
      ),
      [],
    ));
  it('every source has a kebab-case noun for a name, and none that takes everything in', () =>
    assert.deepEqual(
      all
        .map(({ path }) => path)
        .filter(
          path =>
            !/\/[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/.test(path) ||
            /\/(utils?|helpers?|types|common|index)\.ts$/.test(path),
        ),
      [],
    ));
  it('every source leaves nothing to be done', () =>
    assert.deepEqual(
      findings(programs, ({ text }) => [...text.matchAll(/\b(TODO|FIXME|XXX)\b(?! ?\(#\d)/g)].map(([word]) => word)),
      [],
    ));
});
