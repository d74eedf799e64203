// What Countersign promises under faults and attacks. One scenario measures each; docs/reliability.md shows what it measured.

export const PROMISES = {
  'kill-storm': 'Requests that are approved while signers are killed again and again each get one certificate',
  'api-server-frozen': 'After an API server that was frozen for 10 s, a waiting request is signed within 20 s',
  'etcd-frozen': 'After an etcd that was frozen for 10 s, a waiting request is signed within 20 s',
  'half-open':
    'While every connection of the signer is half-open for 10 s, nothing is lost: the request is signed within 20 s after it',
  'connections-cut': 'Requests are each signed once while the signer loses all its connections every 200 ms',
  truncated: 'Answers that are cut off in the middle leave no request unsigned',
  slow: 'With every answer 100 ms late, a request is signed within 2 s of its approval',
  rotation:
    'While the Secret of the CA is replaced under load, every certificate verifies under the CA in its annotation',
  'tenant-chain': "One tenant's Secret with 200 certificates of one name at most doubles another tenant's p99",
  'tenant-key': "One tenant's 150 requests on an RSA-8192 CA at most double another tenant's p99",
} as const;

export type PromiseId = keyof typeof PROMISES;
