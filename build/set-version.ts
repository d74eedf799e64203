// `node build/set-version.ts VERSION`: writes a new version number into every file that states it, and moves the
// entries under [Unreleased] in CHANGELOG.md to a section of that version. Never commits, tags or publishes.

import { spawnSync } from 'node:child_process';
import { glob, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './bundle.ts';

const USAGE = `Usage: node build/set-version.ts VERSION

Writes VERSION (such as 1.2.3 or 1.2.3-rc.1) into the package.json files, package-lock.json, Chart.yaml, docker-compose.yml
and the documentation, and moves the entries under [Unreleased] in CHANGELOG.md to a section of that version.
`;

/** https://semver.org without build metadata, which an image tag cannot have. */
const SEMVER = /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

const UNRELEASED = '## [Unreleased]\n';

interface Statement {
  readonly files: string;
  /** With the text before the version as its first group and the version as its second. */
  readonly pattern: RegExp;
  /** Whether each of the files must state the version. */
  readonly isRequired: boolean;
}

/** Where the version is stated, apart from what npm and `make docs` write. */
const STATEMENTS: readonly Statement[] = [
  { files: '{.,services/*,cli,test,compose}/package.json', pattern: /^( {2}"version": ")([^"]+)/gm, isRequired: true },
  {
    files: '{services/*,cli,test,compose}/package.json',
    pattern: /("@countersign\/\w+": ")([^"]+)/g,
    isRequired: false,
  },
  { files: 'charts/countersign/Chart.yaml', pattern: /^(version: )(\S+)/gm, isRequired: true },
  { files: 'charts/countersign/Chart.yaml', pattern: /^(appVersion: ")([^"]+)/gm, isRequired: true },
  { files: 'docker-compose.yml', pattern: /(countersign\/(?:signer|webhook|approver):)(\d[\w.-]*)/g, isRequired: true },
  {
    files: '{README,docs/*}.md',
    pattern: /(countersign\/(?:signer|webhook|approver):)(\d[\w.-]*)/g,
    isRequired: false,
  },
  { files: 'docs/install.md', pattern: /(targetRevision: v)(\S+)/g, isRequired: false },
];

export interface StatedVersion {
  readonly file: string;
  /** undefined if a file that must state a version does not. */
  readonly version: string | undefined;
}

/** Every version that a file under `root` states. */
export async function readStatedVersions(root: string): Promise<readonly StatedVersion[]> {
  const stated: StatedVersion[] = [];
  for (const { files, pattern, isRequired } of STATEMENTS) {
    for await (const file of glob(files, { cwd: root })) {
      const text = await readFile(join(root, file), 'utf8');
      const versions = Array.from(text.matchAll(pattern), ([, , version]) => version);
      if (versions.length === 0 && isRequired) versions.push(undefined);
      stated.push(...versions.map(version => ({ file, version })));
    }
  }
  return stated;
}

async function writeStatedVersions(root: string, version: string): Promise<void> {
  for (const { files, pattern } of STATEMENTS) {
    for await (const file of glob(files, { cwd: root })) {
      const text = await readFile(join(root, file), 'utf8');
      await writeFile(join(root, file), text.replace(pattern, `$1${version}`));
    }
  }
}

/** The changelog with its unreleased entries in a section of `version`, or what is wrong with it. */
export function releaseChangelog(
  changelog: string,
  version: string,
  date: string,
): string | { readonly error: string } {
  if (changelog.includes(`\n## [${version}]`)) return { error: `CHANGELOG.md already has a section [${version}]` };
  const [head, rest] = changelog.split(UNRELEASED);
  if (head === undefined || rest === undefined) return { error: 'CHANGELOG.md has no section [Unreleased]' };
  if (/^\s*(?:## |$)/.test(rest)) return { error: 'CHANGELOG.md has no entries under [Unreleased]' };
  return `${head}${UNRELEASED}\n## [${version}] - ${date}\n${rest}`;
}

async function main(args: readonly string[]): Promise<void> {
  const [version = '', ...others] = args;
  if (version === '--help') return say(USAGE);
  if (others.length > 0) return fail(`Expected one version, got ${args.length} arguments.\n\n${USAGE}`);
  if (!SEMVER.test(version)) return fail(`"${version}" is not a semantic version.\n\n${USAGE}`);
  const file = join(ROOT, 'CHANGELOG.md');
  const changelog = releaseChangelog(await readFile(file, 'utf8'), version, new Date().toISOString().slice(0, 10));
  if (typeof changelog !== 'string') return fail(`${changelog.error}\n`);
  await writeFile(file, changelog);
  await writeStatedVersions(ROOT, version);
  const npm = ['install', '--package-lock-only', '--ignore-scripts', '--loglevel=error'];
  const { status } = spawnSync('npm', npm, { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) return fail('npm could not update package-lock.json\n');
  say(`The version is ${version}. Now run \`make docs\`, then see docs/release.md.\n`);
}

function say(text: string): void {
  process.stdout.write(text);
}

function fail(text: string): void {
  process.stderr.write(text);
  process.exitCode = 1;
}

if (import.meta.main) await main(process.argv.slice(2));
