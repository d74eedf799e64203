// `explain`: everything that is known about one CSR, and what to do next. Changes nothing.

import type { Command } from '../arguments/command.ts';
import { CLUSTER_FLAGS, HELP_FLAG, namespaceFlag, OUTPUT_FLAG } from '../arguments/flag.ts';
import type { Arguments } from '../arguments/parse.ts';
import { usageError } from '../cli-error.ts';
import type { Api } from '../cluster/api.ts';
import { withApi } from '../cluster/choice.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { explain, isSignable } from '../explain/explanation.ts';
import type { Facts } from '../explain/facts.ts';
import { gatherByName, gatherFromFile } from '../explain/gather.ts';
import { parseManifest } from '../explain/manifest.ts';
import { toSections } from '../explain/report.ts';
import { gatherPod } from '../pods/gather-pods.ts';
import { explainPod } from '../pods/pod-explanation.ts';
import { toPodSections } from '../pods/pod-report.ts';
import { type PodTarget, parsePodTarget } from '../pods/pod-requests.ts';
import type { Io } from '../terminal/io.ts';
import { formatReport } from '../terminal/report.ts';
import { formatStructured, type StructuredFormat } from '../terminal/structured.ts';

export const EXPLAIN: Command = {
  name: 'explain',
  summary: 'Explain a CSR: content, checks, certificate, and why it waits or failed',
  usages: ['NAME', '-f FILE', 'pod/POD', 'podcertificaterequest/NAME'],
  about: [
    'Shows who asks for what: every name of the PKCS#10 request, its key, usages, CA flag and duration, and what differs between the request and the CSR. Checks the issuer and the permission of the requester, shows the certificate that would be signed, and says why there is none yet and which command helps.',
    'With -f, the CSR is read from a manifest and sent to the API server as a dry run, which includes the webhook; nothing is created. The requester is you.',
    'pod/POD explains the newest PodCertificateRequest of the pod for each signer: the ServiceAccount, its permission, the issuer, and what the request waits for.',
    'The exit code is 3 if the CSR is Denied or Failed, or cannot be signed as it is.',
  ],
  flags: {
    filename: { value: 'FILE', short: 'f', help: 'Manifest of a CSR that is not created yet; - for standard input.' },
    ...OUTPUT_FLAG,
    ...CLUSTER_FLAGS,
    ...namespaceFlag('Namespace of the pod. Defaults to that of the context. CSRs have none.'),
    ...HELP_FLAG,
  },
  examples: [
    ['kubectl countersign explain my-csr', 'Why does this CSR have no certificate?'],
    ['kubectl countersign explain -f my-csr.yaml', 'Would this CSR be signed?'],
    ['kubectl countersign explain pod/web-0 -n shop', 'Why does this pod wait for its certificate?'],
  ],
  completes: 'csr',

  run: (given, io) =>
    withApi(given, io, async api => {
      const [name = '', ...others] = given.names;
      const target = others.length > 0 || given.has('filename') ? undefined : parsePodTarget(name);
      if (target !== undefined) return explainPods(api, target, given, io);
      const facts = await gather(api, given, io);
      const explanation = explain(facts);
      const format = given.text('output') as StructuredFormat | undefined;
      const report = () => formatReport(toSections(explanation, facts.now), io.style);
      io.out(format === undefined ? report() : formatStructured(explanation, format));
      return isSignable(explanation) ? EXIT.ok : EXIT.refused;
    }),
};

async function explainPods(api: Api, target: PodTarget, given: Arguments, io: Io): Promise<ExitCode> {
  const explanations = (await gatherPod(api, target)).map(explainPod);
  const format = given.text('output') as StructuredFormat | undefined;
  const reports = () => explanations.map(each => formatReport(toPodSections(each, new Date()), io.style)).join('\n');
  io.out(format === undefined ? reports() : formatStructured({ items: explanations }, format));
  return explanations.every(isSignable) ? EXIT.ok : EXIT.refused;
}

async function gather(api: Api, given: Arguments, io: Io): Promise<Facts> {
  const path = given.text('filename');
  const [name, ...others] = given.names;
  if (path !== undefined && name === undefined)
    return gatherFromFile(api, parseManifest(await io.readText(path), path), path);
  if (path !== undefined || name === undefined || others.length > 0) {
    throw usageError('explain takes one NAME, or -f FILE', 'kubectl countersign pending lists the CSRs that wait.');
  }
  return gatherByName(api, name);
}
