// What the fault suite holds Countersign to: one promise for each figure, in the order of the table in docs/reliability.md.
//
// How to write a scenario: add its promise here and a row to the table (make test-faults ARGS=--write fills it in), then a file
// NAME.test.ts beside this one. Start a cluster with startCluster({ signers: 2 }), behind a FaultProxy with `signerUrl` where the
// network is to fail; do the harm; measure; end with report(t, 'promise', figure, isKept). Stop in `after` what you started.

export const PROMISES = {
  killStorm: 'Both signers are killed five times while 500 CSRs are approved: each CSR is signed once',
  pausedLeader:
    'A leader is paused past its Lease five times: it then signs nothing, and writes at most the one certificate that it was sending',
  frozenApiServer: 'The API server stands still for 10 s: CSRs approved right after are all signed within 20 s',
  frozenEtcd: 'etcd stands still for 10 s: CSRs approved right after are all signed within 20 s',
  cut: 'All connections of the signers are reset 20 times: CSRs approved meanwhile are signed within 20 s',
  slow: 'Every answer to the signers is 100 ms late: CSRs are signed within 20 s',
  truncated:
    'Every connection of the signers breaks off in the midst of an answer: CSRs are signed within 40 s of its end',
  halfOpen: 'Nothing passes between the signers and the API server for 20 s: CSRs are signed within 60 s of its end',
  forgotten:
    'A firewall forgets all connections of the signers, which stay open in silence: CSRs approved then are signed within 20 s',
  notReady:
    'The API server, etcd or the network stands still: /readyz of each signer says so within 20 s, and is ok again 10 s after its end',
  quiet: 'Nothing happens for a minute: /readyz of each signer stays ok, and they open at most ten connections',
  rotation: 'The CA is replaced 25 times under load: every certificate verifies under the CA it was delivered with',
  managedCertificate:
    "The Secret of the webhook's CA is damaged in 13 ways, and one of two replicas restarts each time: no creation of a CSR is refused",
  tenants:
    'A tenant rewrites a 95 kB Secret without a pause and has 180 CSRs signed with RSA-8192: the p95 of others is at most 1.75 times what the same calls for another signer make it',
  idleFlood:
    'Strangers dial 10 000 idle connections to the webhook: no CSR is refused, 99% of admissions take ≤ 500 ms, memory < 300 MiB',
  bodyFlood:
    'Strangers dial 10 000 connections and send 64 kB bodies that never end: no CSR is refused, 99% of admissions take ≤ 500 ms, memory < 300 MiB',
  reviewFlood: 'Strangers send the largest reviews on 16 connections: no CSR is refused, memory < 400 MiB',
  hostileHttp:
    'Strangers send the webhook malformed HTTP, TLS and JSON of every kind: each is answered or cut off, and the next CSR is created',
  fuzzedRequests:
    'PKCS#10 requests with any field changed: none is read otherwise than Go reads it, and each refusal beyond Go is documented',
  fuzzedCertificates: 'Certificates for such requests: each says to Go what the request says',
  fuzzedReviews: 'AdmissionReviews with any field changed: each is answered within 2 s, in at most 20 000 characters',
  fuzzedProtobuf: 'CSRs in protobuf with any field changed: none is read otherwise than Kubernetes reads it',
  fuzzedDurations: 'Durations: each is read or refused exactly as Go does',
  fuzzedSignerNames: 'Signer names: each that is read is accepted by the API server and written as it was',
} as const satisfies Record<string, string>;

export type PromiseId = keyof typeof PROMISES;
