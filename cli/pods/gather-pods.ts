// Gathers what is known about PodCertificateRequests. Reads and sends access reviews: nothing is changed.

import type { Issuer } from '@countersign/common/issuers/issuer.ts';
import { type PodCertificateRequest, podRequester } from '@countersign/common/pods/pod-certificate-request.ts';
import { parseSignerName } from '@countersign/common/signer-name.ts';
import type { Api } from '../cluster/api.ts';
import { readIssuer } from '../cluster/issuers.ts';
import type { Known } from '../cluster/known.ts';
import { reviewReference } from '../cluster/permission.ts';
import { type PodFacts, podStateOf } from './pod-explanation.ts';
import { createdAt, listPodEvents, listPodRequests, type PodTarget, readPodRequests } from './pod-requests.ts';

export async function gatherPod(api: Api, target: PodTarget): Promise<readonly PodFacts[]> {
  const requests = await readPodRequests(api, target);
  return gather(api, requests, api.namespace, true);
}

/** Oldest first. Asks for no permissions: there may be many. */
export async function gatherOpenPods(api: Api, namespace: string | undefined): Promise<readonly PodFacts[]> {
  const all = await listPodRequests(api, namespace);
  const open = all.filter(request => podStateOf(request) === 'Pending' && parseSignerName(request.spec.signerName).ok);
  return gather(
    api,
    open.toSorted((a, b) => createdAt(a) - createdAt(b)),
    namespace,
    false,
  );
}

async function gather(
  api: Api,
  requests: readonly PodCertificateRequest[],
  namespace: string | undefined,
  asksPermission: boolean,
): Promise<readonly PodFacts[]> {
  const events = requests.length === 0 ? NO_EVENTS : await listPodEvents(api, namespace);
  const issuers = new Map<string, Promise<Known<Issuer | undefined>>>();
  const found: PodFacts[] = [];
  for (const request of requests) {
    const { signerName } = request.spec;
    const signer = parseSignerName(signerName);
    if (signer.ok && !issuers.has(signerName)) issuers.set(signerName, readIssuer(api, signer.value));
    const isOpen = podStateOf(request) === 'Pending';
    found.push({
      request,
      issuer: await issuers.get(signerName),
      permission:
        signer.ok && isOpen && asksPermission
          ? await reviewReference(api, signer.value, podRequester(request))
          : undefined,
      events: events.known
        ? { known: true, value: events.value.filter(event => event.involvedObject?.uid === request.metadata.uid) }
        : events,
    });
  }
  return found;
}

const NO_EVENTS: PodFacts['events'] = { known: true, value: [] };
