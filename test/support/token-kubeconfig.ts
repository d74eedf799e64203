// A kubeconfig as JSON, for a server on 127.0.0.1 that a test made itself: a bearer token that nobody checks.

/** `ca` is PEM. */
export function tokenKubeconfig(port: number, ca: string): string {
  const cluster = {
    server: `https://127.0.0.1:${port}`,
    'certificate-authority-data': Buffer.from(ca).toString('base64'),
  };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    users: [{ name: 'x', user: { token: 'token' } }],
    clusters: [{ name: 'x', cluster }],
  });
}
