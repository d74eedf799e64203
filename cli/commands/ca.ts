// `ca`: the trust anchors of an issuer, for everyone who verifies its certificates. Changes nothing.

import { type IssuerRef, parseSignerName } from '@countersign/common/signer-name.ts';
import type { Command } from '../arguments/command.ts';
import { CLUSTER_FLAGS, HELP_FLAG, namespaceFlag } from '../arguments/flag.ts';
import type { Arguments } from '../arguments/parse.ts';
import { findAnchors } from '../authority/find-anchors.ts';
import { readCertificates } from '../certificate/certificate-content.ts';
import { usageError } from '../cli-error.ts';
import { withApi } from '../cluster/choice.ts';
import { EXIT } from '../exit-code.ts';
import { safeText } from '../terminal/safe-text.ts';
import { formatStructured } from '../terminal/structured.ts';

export const CA_COMMAND: Command = {
  name: 'ca',
  summary: 'Print the CA certificate of an issuer in PEM',
  usages: ['ISSUER', '--cluster ISSUER'],
  about: [
    'Prints ca.crt of the Secret of the issuer, or the last certificate of tls.crt; never a key. For users who may not read the Secret, the CA comes from the annotation of the newest signed CSR of the issuer. Standard error says where it comes from.',
  ],
  flags: {
    cluster: { help: 'ISSUER is a ClusterIssuer.' },
    'cluster-resource-namespace': {
      value: 'NAME',
      help: 'Namespace of the Secrets of ClusterIssuers. Defaults to countersign.',
    },
    output: {
      value: 'FORMAT',
      short: 'o',
      values: ['pem', 'json', 'yaml'],
      help: 'Output format: pem, or json and yaml with subject and expiry. Defaults to pem.',
    },
    ...CLUSTER_FLAGS,
    ...namespaceFlag('Namespace of the Issuer. Defaults to that of the context.'),
    ...HELP_FLAG,
  },
  examples: [
    ['kubectl countersign ca my-ca -n sandbox > ca.crt', 'What clients of the certificates trust'],
    ['kubectl countersign ca --cluster people -o yaml', 'Its subject and its expiry'],
  ],
  completes: 'issuer',

  run: (given, io) =>
    withApi(given, io, async api => {
      const { pem, from } = await findAnchors(
        api,
        readRef(given, api.namespace),
        given.text('cluster-resource-namespace') ?? 'countersign',
      );
      const format = given.text('output');
      const certificates = readCertificates(pem);
      if (format === 'json' || format === 'yaml') io.out(formatStructured({ from, certificates, pem }, format));
      else io.out(blocksOf(pem));
      io.err(
        `${certificates.map(({ subject, notAfter }) => `# ${safeText(subject)}, expires at ${notAfter}\n`).join('')}# from ${safeText(from)}\n`,
      );
      return EXIT.ok;
    }),
};

/** A name, or a whole signer name. */
function readRef(given: Arguments, namespace: string): IssuerRef {
  const [name, ...others] = given.names;
  if (name === undefined || others.length > 0)
    throw usageError('ca takes one issuer', 'kubectl get issuers,clusterissuers -A lists all.');
  const text = name.includes('/')
    ? name
    : given.has('cluster')
      ? `clusterissuers.cert-manager.io/${name}`
      : `issuers.cert-manager.io/${namespace}.${name}`;
  const ref = parseSignerName(text);
  if (ref.ok) return ref.value;
  throw usageError(
    `"${safeText(name)}" is not the name of an issuer`,
    'Use the name of an Issuer, or --cluster and the name of a ClusterIssuer.',
  );
}

/** The blocks alone: the text around them may be anything. */
function blocksOf(pem: string): string {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map(block => `${block}\n`).join('');
}
