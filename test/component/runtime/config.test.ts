// The configuration of a service: flags and variables, and that every mistake is reported at once.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  defineOptions,
  formatHelp,
  parseConfig,
  printableConfig,
  readCommandLine,
} from '@countersign/common/runtime/options/config.ts';

const TABLE = defineOptions({
  clusterResourceNamespace: {
    kind: 'string',
    default: 'kube-system',
    help: 'Where the Secrets of ClusterIssuers are.',
  },
  workers: { kind: 'integer', default: 5, min: 1, max: 64, help: 'How many.' },
  timeout: { kind: 'duration', default: '10s', help: 'How long.' },
  address: { kind: 'address', default: '127.0.0.1:80', help: 'Where.' },
  caAnnotation: { kind: 'boolean', default: true, help: 'Whether.' },
  dryRun: { kind: 'boolean', default: false, help: 'Whether.' },
  logLevel: { kind: 'enum', values: ['debug', 'info'], default: 'info', help: 'How much.' },
  webhookToken: { kind: 'string', default: '', secret: true, help: 'Whispered.' },
  kubeconfig: { kind: 'string', default: '', alias: 'KUBECONFIG', help: 'Which.' },
});

const DEFAULTS = {
  clusterResourceNamespace: 'kube-system',
  workers: 5,
  timeout: 10_000,
  address: { host: '127.0.0.1', port: 80 },
  caAnnotation: true,
  dryRun: false,
  logLevel: 'info',
  webhookToken: '',
  kubeconfig: '',
};

describe('a good command line', () => {
  const cases = [
    { name: 'nothing', argv: [], env: {}, expected: {} },
    { name: '--flag value', argv: ['--workers', '7'], env: {}, expected: { workers: 7 } },
    {
      name: '--flag=value',
      argv: ['--workers=7', '--log-level=debug'],
      env: {},
      expected: { workers: 7, logLevel: 'debug' },
    },
    { name: 'a value with =', argv: ['--webhook-token=a=b='], env: {}, expected: { webhookToken: 'a=b=' } },
    {
      name: 'an empty value',
      argv: ['--cluster-resource-namespace='],
      env: {},
      expected: { clusterResourceNamespace: '' },
    },
    { name: 'a bare boolean', argv: ['--dry-run', '--workers', '7'], env: {}, expected: { dryRun: true, workers: 7 } },
    { name: 'a boolean with a value', argv: ['--ca-annotation=false'], env: {}, expected: { caAnnotation: false } },
    { name: "Go's duration", argv: ['--timeout=1m30.5s'], env: {}, expected: { timeout: 90_500 } },
    {
      name: 'an address',
      argv: ['--address=localhost:0'],
      env: {},
      expected: { address: { host: 'localhost', port: 0 } },
    },
    {
      name: 'an IPv6 address',
      argv: ['--address=[::1]:80'],
      env: {},
      expected: { address: { host: '::1', port: 80 } },
    },
    { name: 'all addresses', argv: ['--address=:65535'], env: {}, expected: { address: { host: '', port: 65_535 } } },
    { name: 'a variable', argv: [], env: { COUNTERSIGN_WORKERS: '9', HOME: '/' }, expected: { workers: 9 } },
    {
      name: 'a flag and its variable',
      argv: ['--workers=7'],
      env: { COUNTERSIGN_WORKERS: '9' },
      expected: { workers: 7 },
    },
    {
      name: 'the alias of an option without its own value',
      argv: [],
      env: { KUBECONFIG: '/theirs' },
      expected: { kubeconfig: '/theirs' },
    },
    {
      name: 'the own variable before the alias',
      argv: [],
      env: { KUBECONFIG: '/theirs', COUNTERSIGN_KUBECONFIG: '/ours' },
      expected: { kubeconfig: '/ours' },
    },
    {
      name: 'variables that the kubelet sets for Services',
      argv: [],
      env: { COUNTERSIGN_WEBHOOK_SERVICE_HOST: '10.0.0.1', COUNTERSIGN_WEBHOOK_PORT_443_TCP: 'tcp://10.0.0.1:443' },
      expected: {},
    },
  ];
  for (const { name, argv, env, expected } of cases) {
    test(`${name} is accepted`, () => {
      const parsed = parseConfig(TABLE, argv, env);
      assert.ok(parsed.ok, JSON.stringify(parsed));
      assert.deepEqual({ ...parsed.value }, { ...DEFAULTS, ...expected });
      assert.ok(Object.isFrozen(parsed.value));
    });
  }
});

describe('configuration mistakes', () => {
  const cases = [
    { argv: ['--worker=7'], mistake: '--worker: unknown flag; did you mean --workers?' },
    { argv: ['--zzzzzzz'], mistake: '--zzzzzzz: unknown flag; see --help' },
    { argv: ['-w'], mistake: '-w: unknown flag; see --help' },
    { argv: ['workers'], mistake: 'workers: unexpected argument; use --<flag>=<value>' },
    { argv: ['--workers'], mistake: '--workers: missing value; use --workers=<value>' },
    { argv: ['--workers', '--dry-run'], mistake: '--workers: missing value; use --workers=<value>' },
    { argv: ['--workers=1', '--workers=2'], mistake: '--workers: specified more than once; keep one' },
    { argv: ['--workers=0'], mistake: '--workers: "0" is not an integer between 1 and 64' },
    { argv: ['--workers=1e1'], mistake: '--workers: "1e1" is not an integer between 1 and 64' },
    {
      argv: ['--timeout=1d'],
      mistake: '--timeout: time: unknown unit "d" in duration "1d"; use a duration such as 30s or 1m30s',
    },
    { argv: ['--timeout=-1s'], mistake: '--timeout: "-1s" must not be negative' },
    // Truncated to 0, it would mean no limit for a maximum.
    { argv: ['--timeout=0.5ms'], mistake: '--timeout: "0.5ms" is not a whole number of milliseconds' },
    ...['8080', 'localhost', '127.0.0.1:65536', '127.0.0.1:x', '::1:80', '[::1:80'].map(address => ({
      argv: [`--address=${address}`],
      mistake: `--address: "${address}" is not a valid address; use <host>:<port>, [<IPv6 address>]:<port>, or :<port> for all addresses`,
    })),
    { argv: ['--dry-run=yes'], mistake: '--dry-run: "yes" is not true or false' },
    { argv: ['--log-level=loud'], mistake: '--log-level: "loud" is not one of debug, info' },
    { env: { COUNTERSIGN_WORKERS: 'x' }, mistake: 'COUNTERSIGN_WORKERS: "x" is not an integer between 1 and 64' },
    {
      env: { COUNTERSIGN_WORKRES: '5' },
      mistake: 'COUNTERSIGN_WORKRES: unknown variable; did you mean COUNTERSIGN_WORKERS?',
    },
  ];
  for (const { argv = [], env = {}, mistake } of cases) {
    test(`the mistake ${[...argv, ...Object.keys(env)].join(' ')} is reported with advice`, () => {
      assert.deepEqual(parseConfig(TABLE, argv, env), { ok: false, error: [mistake] });
    });
  }

  test('all mistakes are reported at once', () => {
    const parsed = parseConfig(TABLE, ['--worker=7', '--timeout=x', '--log-level=loud'], { COUNTERSIGN_NO: '' });
    assert.equal(parsed.ok ? 0 : parsed.error.length, 4);
  });

  test('an option without a default is required, and the value of a secret is not repeated', () => {
    const table = defineOptions({
      name: { kind: 'string', help: 'x' },
      pin: { kind: 'integer', secret: true, help: 'x' },
    });
    assert.deepEqual(parseConfig(table, ['--pin=hunter2'], {}), {
      ok: false,
      error: [
        '--name: required; use --name=<string> or set COUNTERSIGN_NAME',
        '--pin: the value is not a valid integer',
      ],
    });
  });
});

const PROGRAM = { service: 'signer', options: TABLE, findMistakes: () => [] };
const actionOf = (...argv: string[]) => readCommandLine(PROGRAM, argv, {}).action;

describe('the command line', () => {
  test('the command line requests a run, a check or help, or is rejected', () => {
    assert.deepEqual(
      [actionOf(), actionOf('--check-config'), actionOf('--help', '--nonsense'), actionOf('--nonsense')],
      ['run', 'check-config', 'help', 'refuse'],
    );
  });

  test('the command line is rejected for mistakes in the combination of valid options', () => {
    const findMistakes = ({ workers }: { readonly workers: number }) => [`not ${workers} workers`];
    const command = readCommandLine({ ...PROGRAM, findMistakes }, ['--workers=7', '--check-config'], {});
    assert.deepEqual(command, { action: 'refuse', mistakes: ['not 7 workers'] });
  });

  test('the command line has a help text with every flag, variable, choice and default', () => {
    const text = formatHelp(TABLE, 'signer');
    for (const part of [
      'Usage: signer',
      '--log-level=<debug|info>',
      'COUNTERSIGN_WORKERS; default: 5.',
      '--check-config',
    ]) {
      assert.ok(text.includes(part), part);
    }
  });

  test('the command line is printed without secrets', () => {
    const parsed = parseConfig(TABLE, ['--webhook-token=hunter2'], {});
    assert.ok(parsed.ok);
    assert.deepEqual(printableConfig(TABLE, parsed.value), { ...DEFAULTS, webhookToken: '[redacted]' });
  });

  test('the command line has values typed by the table', () => {
    const parsed = parseConfig(TABLE, [], {});
    assert.ok(parsed.ok);
    const typed: { readonly workers: number; readonly dryRun: boolean; readonly logLevel: 'debug' | 'info' } =
      parsed.value;
    assert.equal(typed.logLevel, 'info');
  });
});
