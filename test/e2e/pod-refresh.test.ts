// The refresh of pods' certificates by their kubelet, at the time that the signer sets. No certificate lasts for less
// than an hour, and kubelet adds up to five minutes at random: the API server moves the time to the earliest that it
// allows, and it still takes minutes.

import { after, before, describe, test } from 'node:test';
import { openPodScene, type PodScene } from './pod-scene.ts';
import { requirement, requirePrograms } from './requirements.ts';

const isWanted = process.env['TEST_LONG'] === '1';

/** Ten minutes after notBefore, less the backdate of four; kubelet's jitter of five minutes, and two until it looks. */
const WITHIN_MS = 14 * 60_000;

const options = isWanted
  ? { ...requirement, timeout: WITHIN_MS + 240_000 }
  : { skip: 'takes up to 14 minutes: set TEST_LONG=1' };

describe('certificates of pods that run', options, () => {
  let pods: PodScene;
  before(async () => {
    pods = await openPodScene(requirePrograms());
    await pods.install({ backdate: '4m' });
    await pods.apply(...EARLIEST_REFRESH);
    await pods.runMesh();
    await pods.settled();
  });
  after(() => pods?.close());

  test('are refreshed before they expire, and no handshake fails', { timeout: WITHIN_MS + 60_000 }, async t => {
    const names = (await pods.requests('mesh')).map(({ metadata }) => metadata.name);
    const done = await pods.withoutFailure(() => pods.whenRenewed(names, WITHIN_MS));
    const times = (await pods.requests('mesh')).map(
      ({ metadata, status }) => `created ${metadata.creationTimestamp}, begin refresh at ${status?.beginRefreshAt}`,
    );
    t.diagnostic([done, ...times].join('\n'));
  });
});

/** The API server's limit: ten minutes after notBefore. */
const EARLIEST_REFRESH = [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicy',
    metadata: { name: 'earliest-refresh' },
    spec: {
      reinvocationPolicy: 'Never',
      matchConstraints: {
        resourceRules: [
          {
            apiGroups: ['certificates.k8s.io'],
            apiVersions: ['v1'],
            operations: ['UPDATE'],
            resources: ['podcertificaterequests/status'],
          },
        ],
      },
      matchConditions: [{ name: 'issued', expression: 'has(object.status.notBefore)' }],
      mutations: [
        {
          patchType: 'JSONPatch',
          jsonPatch: {
            expression: `[JSONPatch{op: "replace", path: "/status/beginRefreshAt",
              value: string(timestamp(object.status.notBefore) + duration("600s"))}]`,
          },
        },
      ],
    },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingAdmissionPolicyBinding',
    metadata: { name: 'earliest-refresh' },
    spec: { policyName: 'earliest-refresh' },
  },
];
