// Whether a name is within the subtrees of a CA's name constraints according to Go (crypto/x509) and OpenSSL: what
// either rejects is rejected here, because a certificate that half of its clients reject is useless. Pure; writes
// no messages.

import { GENERAL_NAME } from '../subject-alt-name.ts';
import type { ConstrainedName } from './constrained-names.ts';
import type { NameConstraints, Subtree } from './constraint-subtrees.ts';
import { contains, findAsGo } from './ip-networks.ts';
import { hostOfUri, isDomain, openSslHostOfUri, parseMailbox } from './name-syntax.ts';

/** `unchecked`: a verifier rejects the name whatever the subtrees are, because it cannot compare it. */
export type Verdict = 'within' | 'not permitted' | 'excluded' | 'unchecked';

type IsWithin = (subtree: Subtree) => boolean;

/** `isForGo` is false if Go accepts no certificate of the chain at all: then only OpenSSL's clients remain. */
export function judgeName(name: ConstrainedName, constraints: NameConstraints, isForGo: boolean): Verdict {
  const inGo = isForGo && name.isSeenByGo ? judgeAsGo(name, constraints) : 'within';
  return inGo === 'within' ? judgeAsOpenSsl(name, constraints) : inGo;
}

/** In OpenSSL's order: a name that it cannot compare is rejected as soon as there is a subtree of its kind. */
function judgeAsOpenSsl(name: ConstrainedName, constraints: NameConstraints): Verdict {
  const [permitted, excluded] = subtreesFor(name, constraints);
  if (name.isUnreadable) return 'unchecked';
  if (permitted.length === 0 && excluded.length === 0) return 'within';
  const isWithin = withinInOpenSsl(name);
  const hasDistance = [...permitted, ...excluded].some(subtree => subtree.hasDistance);
  if (isWithin === undefined || hasDistance) return 'unchecked';
  if (permitted.length > 0 && !permitted.some(isWithin)) return 'not permitted';
  return excluded.some(isWithin) ? 'excluded' : 'within';
}

type Pair = readonly [permitted: readonly Subtree[], excluded: readonly Subtree[]];

function subtreesFor({ kind }: ConstrainedName, { permitted, excluded }: NameConstraints): Pair {
  return [permitted.get(kind) ?? [], excluded.get(kind) ?? []];
}

/** Undefined for a name that OpenSSL cannot compare. */
function withinInOpenSsl({ tag, text, value, rdns }: ConstrainedName): IsWithin | undefined {
  switch (tag) {
    case GENERAL_NAME.dnsName:
      return subtree => isInDomain(text, subtree.text);
    case GENERAL_NAME.rfc822Name:
      return text.includes('@') ? subtree => isMailboxWithin(text, subtree.text) : undefined;
    case GENERAL_NAME.uniformResourceIdentifier: {
      const host = openSslHostOfUri(text);
      return host === undefined ? undefined : subtree => isHostWithin(host, subtree.text);
    }
    case GENERAL_NAME.ipAddress:
      return ({ network }) => network !== undefined && contains(network, value);
    case GENERAL_NAME.directoryName:
      return subtree => subtree.rdns.every((rdn, at) => rdns[at] === rdn);
    default:
      return undefined;
  }
}

/** The host itself or, after a leading period, what is below it (RFC 5280 section 4.2.1.10). */
function isHostWithin(host: string, base: string): boolean {
  if (!base.startsWith('.')) return isSameText(host, base);
  return host.length > base.length && isSameText(host.slice(-base.length), base);
}

function isMailboxWithin(mailbox: string, base: string): boolean {
  const [at, baseAt] = [mailbox.lastIndexOf('@'), base.lastIndexOf('@')];
  if (baseAt < 0 && base.startsWith('.')) return isHostWithin(mailbox, base);
  const hasSameLocal = baseAt <= 0 || mailbox.slice(0, at) === base.slice(0, baseAt);
  return hasSameLocal && isSameText(mailbox.slice(at + 1), base.slice(baseAt + 1));
}

/** Go must parse every name of its kinds, under any constraint, and a domain covers everything below it as well. */
function judgeAsGo(name: ConstrainedName, constraints: NameConstraints): Verdict {
  const [permitted, excluded] = subtreesFor(name, constraints);
  if (name.tag === GENERAL_NAME.ipAddress) {
    const networks = constraints.sortedNetworks.get(name.value.length) ?? [];
    // Whatever Go finds in an excluded network, OpenSSL finds too.
    return permitted.length === 0 || findAsGo(networks, name.value) ? 'within' : 'not permitted';
  }
  const domain = domainInGo(name);
  if (domain === undefined) return 'unchecked';
  const isWithin = withinInGo(name, domain);
  const isCovered = coveredInGo(domain);
  if (permitted.length > 0 && !permitted.some(isWithin)) return 'not permitted';
  return excluded.some(subtree => isWithin(subtree) || isCovered(subtree)) ? 'excluded' : 'within';
}

/** The part that is compared with domains; undefined if Go cannot parse the name. */
function domainInGo({ tag, text }: ConstrainedName): string | undefined {
  if (tag === GENERAL_NAME.rfc822Name) return parseMailbox(text)?.domain;
  if (tag === GENERAL_NAME.uniformResourceIdentifier) return hostOfUri(text);
  return isDomain(text) ? text : undefined;
}

function withinInGo({ tag, text }: ConstrainedName, domain: string): IsWithin {
  const local = tag === GENERAL_NAME.rfc822Name ? parseMailbox(text)?.local : undefined;
  return ({ mailbox, text: base }) =>
    mailbox === undefined ? isInDomain(domain, base) : mailbox.local === local && isSameText(mailbox.domain, domain);
}

/** A wildcard is excluded together with what it could match: `*.example.com` with `a.example.com`. */
function coveredInGo(domain: string): IsWithin {
  const parent = domain.startsWith('*') ? behindFirstLabel(domain) : '';
  return ({ mailbox, text }) => parent !== '' && mailbox === undefined && isSameText(behindFirstLabel(text), parent);
}

/** From the first period; empty for a single label. */
function behindFirstLabel(domain: string): string {
  const at = domain.indexOf('.');
  return at < 0 ? '' : domain.slice(at);
}

/** The domain, or one below it; after a leading period only one below it. An empty base covers every domain. */
function isInDomain(domain: string, base: string): boolean {
  if (base.length > domain.length) return false;
  const isWhole = base === '' || base.startsWith('.') || base.length === domain.length;
  const start = domain.length - base.length;
  return (isWhole || domain[start - 1] === '.') && isSameText(domain.slice(start), base);
}

/** Compares ASCII text, ignoring case. */
function isSameText(a: string, b: string): boolean {
  return a.length === b.length && a.toLowerCase() === b.toLowerCase();
}
