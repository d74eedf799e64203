// The name constraints of one CA (RFC 5280 section 4.2.1.10), parsed once to check many names. Accepts what
// readConstraints accepts, all kinds of names included; never judges a name.

import { err, ok, type Result } from '../../result.ts';
import { contextTag, readChildren, readWhole, type Tlv } from '../der.ts';
import type { Extension } from '../extension.ts';
import { GENERAL_NAME } from '../subject-alt-name.ts';
import { comparableRdns, readRdns } from './directory-name.ts';
import { type Network, readNetwork, sortAsGo } from './ip-networks.ts';
import { readConstraints } from './name-constraints.ts';
import { type Mailbox, parseMailbox } from './name-syntax.ts';

export interface Subtree {
  /** Identifier octet of the GeneralName. */
  readonly tag: number;
  readonly value: Buffer;
  /** The value as ASCII. */
  readonly text: string;
  /** The parts of a directoryName, for comparison. */
  readonly rdns: readonly string[];
  readonly network: Network | undefined;
  /** Undefined if a domain stands for all of its mailboxes. */
  readonly mailbox: Mailbox | undefined;
  /**
   * Whether it has a minimum or maximum, which RFC 5280 forbids: OpenSSL then rejects every name of this kind, and Go
   * ignores it.
   */
  readonly hasDistance: boolean;
}

/** Subtrees by kind of name (kindOf). */
export type Subtrees = ReadonlyMap<string, readonly Subtree[]>;

type ConstraintsExtension = Pick<Extension, 'critical' | 'value'>;

export interface NameConstraints {
  readonly extension: ConstraintsExtension;
  /**
   * Whether Go accepts any certificate below: not if the extension is critical and has a kind of name that Go does
   * not know.
   */
  readonly isKnownToGo: boolean;
  readonly permitted: Subtrees;
  readonly excluded: Subtrees;
  /** Permitted networks by address length, in Go's search order. */
  readonly sortedNetworks: ReadonlyMap<number, readonly Network[]>;
  /** Number of subtrees. */
  readonly size: number;
}

/** The kinds of names that Go checks against constraints. */
export const KNOWN_TO_GO: ReadonlySet<number> = new Set<number>([
  GENERAL_NAME.dnsName,
  GENERAL_NAME.rfc822Name,
  GENERAL_NAME.ipAddress,
  GENERAL_NAME.uniformResourceIdentifier,
]);

/** A CA of the chain and its constraints. */
export interface ConstrainedCa {
  /** The content of its Name. */
  readonly subject: Buffer;
  readonly constraints: NameConstraints;
}

/** Names are compared with subtrees of the same kind: the choice of GeneralName and, for an otherName, its type. */
export function kindOf(tag: number, value: Buffer): string {
  if (tag !== GENERAL_NAME.otherName) return `${tag}`;
  const children = readChildren({ value });
  return `${tag} ${children.ok ? (children.value[0]?.bytes.toString('hex') ?? '') : ''}`;
}

export function parseNameConstraints(extension: ConstraintsExtension): Result<NameConstraints> {
  const { critical, value } = extension;
  const checked = readConstraints(value);
  if (!checked.ok) return checked;
  const whole = readWhole(value);
  const lists = whole.ok ? readChildren(whole.value) : whole;
  if (!lists.ok) return err(lists.error);
  const [permitted, excluded] = [0, 1].map(number =>
    readSubtrees(lists.value.find(({ tag }) => tag === contextTag(number, 'constructed'))),
  ) as [readonly Subtree[], readonly Subtree[]];
  return ok({
    extension: { critical, value },
    isKnownToGo: !critical || [...permitted, ...excluded].every(({ tag }) => KNOWN_TO_GO.has(tag)),
    permitted: group(permitted),
    excluded: group(excluded),
    sortedNetworks: sortNetworks(permitted),
    size: permitted.length + excluded.length,
  });
}

function readSubtrees(list: Tlv | undefined): readonly Subtree[] {
  const subtrees = list && readChildren(list);
  return subtrees?.ok ? subtrees.value.flatMap(readSubtree) : [];
}

function readSubtree(subtree: Tlv): readonly Subtree[] {
  const fields = readChildren(subtree);
  const [base, ...distances] = fields.ok ? fields.value : [];
  if (base === undefined) return [];
  const { tag, value } = base;
  const text = value.toString('latin1');
  return [
    {
      tag,
      value,
      text,
      rdns: tag === GENERAL_NAME.directoryName ? comparableRdns(readRdns(nameIn(value))) : [],
      network: tag === GENERAL_NAME.ipAddress ? readNetwork(value) : undefined,
      mailbox: tag === GENERAL_NAME.rfc822Name && text.includes('@') ? parseMailbox(text) : undefined,
      hasDistance: distances.some(distance => !isZeroMinimum(distance)),
    },
  ];
}

/** The content of the Name in a directoryName. */
export function nameIn(directoryName: Buffer): Buffer {
  const name = readWhole(directoryName);
  return name.ok ? name.value.value : Buffer.alloc(0);
}

/** The default value, encoded explicitly. */
function isZeroMinimum({ tag, value }: Tlv): boolean {
  return tag === contextTag(0, 'primitive') && value.every(octet => octet === 0);
}

function group(subtrees: readonly Subtree[]): Subtrees {
  return Map.groupBy(subtrees, ({ tag, value }) => kindOf(tag, value));
}

function sortNetworks(permitted: readonly Subtree[]): NameConstraints['sortedNetworks'] {
  const networks = permitted.flatMap(({ network }) => (network === undefined ? [] : [network]));
  const byFamily = Map.groupBy(networks, ({ base }) => base.length);
  return new Map([...byFamily].map(([length, family]) => [length, sortAsGo(family)]));
}
