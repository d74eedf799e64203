// The promises that the fault suite verifies, in the order of the table in docs/reliability.md.
//
// To add a scenario: add its promise here, add a row to the table (make test-faults ARGS=--write fills in the figure),
// and add a file NAME.test.ts in this folder. Start a cluster with startCluster({ signers: 2 }); for network faults,
// put a FaultProxy in between with `signerUrl`. Cause the fault, measure, and call report(t, 'promise', figure,
// isKept). Stop everything in `after`.

export const PROMISES = {
  killStorm: 'Both signers are killed five times while 500 CSRs are approved: each CSR is signed exactly once',
  pausedLeader:
    'The leader is paused five times for longer than its Lease: each time it then completes at most the one step it was in (a signature or a write)',
  frozenApiServer: 'The API server is frozen for 10 s: CSRs approved right afterwards are signed within 20 s',
  frozenEtcd: 'etcd is frozen for 10 s: CSRs approved right afterwards are signed within 20 s',
  cut: 'All connections of the signers are reset 20 times: CSRs approved in the meantime are signed within 20 s',
  slow: 'Every response to the signers is delayed by 100 ms: CSRs are signed within 20 s',
  truncated:
    'Every connection of the signers is cut in the middle of a response: CSRs are signed within 40 s after the fault ends',
  halfOpen:
    'All traffic between signers and API server is dropped for 20 s: CSRs are signed within 60 s after the fault ends',
  forgotten:
    'A firewall forgets all connections of the signers and silently drops their packets: CSRs approved then are signed within 20 s',
  notReady:
    'The API server, etcd or the network freezes: /readyz of each signer fails within 20 s and succeeds within 10 s after the fault ends',
  quiet:
    'The cluster is idle for a minute: /readyz of each signer stays ok, and the signers open at most ten connections',
  rotation: 'The CA is replaced 25 times under load: every certificate verifies with the CA it was delivered with',
  managedCertificate:
    "The Secret of the webhook's CA is damaged in 13 ways, and one of two replicas restarts each time: no CSR creation is refused",
  tenants:
    'A tenant rewrites a 95 kB Secret continuously and has 180 CSRs signed with RSA-8192: the p95 of other tenants is at most 1.75 times the p95 caused by the same API calls for another signer',
  idleFlood:
    'Attackers open 10 000 idle connections to the webhook: no CSR is refused, 99% of admissions take ≤ 500 ms, memory < 300 MiB',
  bodyFlood:
    'Attackers open 10 000 connections and send 64 kB bodies that never end: no CSR is refused, 99% of admissions take ≤ 500 ms, memory < 300 MiB',
  reviewFlood: 'Attackers send the largest possible reviews on 16 connections: no CSR is refused, memory < 400 MiB',
  hostileHttp:
    'Attackers send malformed HTTP, TLS and JSON of every kind to the webhook: each request is answered or closed, and the next CSR is created',
  fuzzedRequests:
    'PKCS#10 requests with arbitrary fields changed: none is read differently from Go, and every rejection that is not in Go is documented',
  fuzzedCertificates: 'Certificates for such requests: Go reads in each the contents of its request',
  fuzzedCas:
    'CA certificates with arbitrary fields changed: none is accepted that Go, and so the API server, rejects or reads differently',
  fuzzedWebhookCas: "The webhook's own CA with arbitrary fields changed: none is used that Go rejects",
  fuzzedKeys: 'Private keys with arbitrary fields changed: none is accepted that Go rejects',
  fuzzedConstraints: 'Names under arbitrary name constraints: refused exactly if Go or OpenSSL rejects the certificate',
  fuzzedReviews:
    'AdmissionReviews with arbitrary fields changed: each is answered within 2 s, with at most 20 000 characters',
  fuzzedProtobuf: 'CSRs in protobuf with arbitrary fields changed: none is decoded differently from Kubernetes',
  fuzzedDurations: 'Durations: each is parsed or rejected exactly as in Go',
  fuzzedSignerNames: 'Signer names: each accepted name is valid for the API server and is written back unchanged',
} as const satisfies Record<string, string>;

export type PromiseId = keyof typeof PROMISES;
