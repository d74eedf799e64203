// The webhook's flags: where the serving certificate comes from, and combinations that are rejected.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '@countersign/common/runtime/options/config.ts';
import { certificateSource, findMistakes, OPTIONS, type WebhookConfig } from '@countersign/webhook/options.ts';
import { valueOf } from '../../support/pki.ts';

const configOf = (...flags: readonly string[]): WebhookConfig => valueOf(parseConfig(OPTIONS, flags, {}));

for (const [flags, place] of [
  [['--tls-cert-file=c', '--tls-key-file=k'], { kind: 'files', certFile: 'c', keyFile: 'k' }],
  [['--tls-secret=a/b'], { kind: 'secret', secret: { namespace: 'a', name: 'b' } }],
  [
    ['--managed-certificate-secret=a/b', '--webhook-configuration=c', '--dns-names=d.svc,127.0.0.1'],
    { kind: 'managed', secret: { namespace: 'a', name: 'b' }, configuration: 'c', names: ['d.svc', '127.0.0.1'] },
  ],
] as const) {
  test(`the flags ${flags.join(' ')} select the source of the serving certificate`, () => {
    assert.deepEqual(certificateSource(configOf(...flags)), place);
    assert.deepEqual(findMistakes(configOf(...flags)), []);
  });
}

const EXCLUDE = 'exclude each other: set one source of the serving certificate';

for (const [flags, ...mistakes] of [
  [
    [],
    'no serving certificate: set --tls-cert-file and --tls-key-file, or --tls-secret, or --managed-certificate-secret with --webhook-configuration and --dns-names',
  ],
  [['--tls-secret=a/b', '--tls-cert-file=c', '--tls-key-file=k'], `--tls-cert-file and --tls-secret ${EXCLUDE}`],
  [
    ['--tls-secret=a/b', '--tls-key-file=k', '--dns-names=d.svc'],
    `--tls-key-file, --tls-secret and --dns-names ${EXCLUDE}`,
  ],
  [['--tls-secret=b'], '--tls-secret: "b" is not <namespace>/<name>'],
  [['--tls-secret=a/b/c'], '--tls-secret: "a/b/c" is not <namespace>/<name>'],
  [['--tls-cert-file=c'], '--tls-cert-file: --tls-key-file must be set too'],
  [['--tls-key-file=k'], '--tls-key-file: --tls-cert-file must be set too'],
  [
    ['--managed-certificate-secret=a/b'],
    '--managed-certificate-secret: --webhook-configuration and --dns-names must be set too',
  ],
  [
    ['--webhook-configuration=c', '--dns-names=d.svc'],
    '--webhook-configuration: --managed-certificate-secret must be set too',
  ],
  [
    ['--managed-certificate-secret=b', '--webhook-configuration=c'],
    '--managed-certificate-secret: --dns-names must be set too',
    '--managed-certificate-secret: "b" is not <namespace>/<name>',
  ],
  [
    ['--managed-certificate-secret=a/b', '--webhook-configuration=c', '--dns-names=,'],
    '--dns-names: "," contains no name',
  ],
] as const) {
  test(`the flags ${flags.join(' ') || '(none)'} are rejected with what to set instead`, () => {
    assert.deepEqual(findMistakes(configOf(...flags)), mistakes);
    assert.equal(certificateSource(configOf(...flags)), undefined);
  });
}

test('a cache of access reviews longer than 1s is rejected with the value and the maximum', () => {
  const flags = ['--tls-secret=a/b', '--permission-ttl=2s'];
  assert.deepEqual(findMistakes(configOf(...flags)), ['--permission-ttl: 2s is more than the maximum, 1s']);
});
