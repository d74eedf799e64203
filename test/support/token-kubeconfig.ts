// A kubeconfig as JSON for a test server on 127.0.0.1, with a bearer token that is not verified.

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
