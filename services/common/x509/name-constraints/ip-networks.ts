// IP networks of name constraints (RFC 5280 section 4.2.1.10), and whether an address is in one as Go and OpenSSL see it: both
// compare under the mask, but Go looks at the one network only that begins next to the address. Pure.

export interface Network {
  /** Its address, with host bits if it has any. */
  readonly base: Buffer;
  readonly mask: Buffer;
}

/** Undefined for a constraint of another length than IPv4 and IPv6 have. */
export function readNetwork(value: Buffer): Network | undefined {
  if (value.length !== 8 && value.length !== 32) return undefined;
  const size = value.length / 2;
  return { base: value.subarray(0, size), mask: value.subarray(size) };
}

export function contains({ base, mask }: Network, address: Buffer): boolean {
  return base.length === address.length && address.every((octet, at) => isSame(octet, base[at], mask[at]));
}

function isSame(octet: number, base = 0, mask = 0): boolean {
  return (octet & mask) === (base & mask);
}

const IPV4_MAPPED = Buffer.from('00000000000000000000ffff', 'hex');

/** Go takes an IPv4-mapped address for the IPv4 address, which is in no IPv6 network unless that is mapped as well. */
function containsInGo({ base, mask }: Network, address: Buffer): boolean {
  return contains({ base: unmap(base), mask: isMapped(base) ? mask.subarray(12) : mask }, unmap(address));
}

function isMapped(address: Buffer): boolean {
  return address.length === 16 && address.subarray(0, 12).equals(IPV4_MAPPED);
}

function unmap(address: Buffer): Buffer {
  return isMapped(address) ? address.subarray(12) : address;
}

/** Networks of one family as Go searches them: by address, without those that are within the one before. */
export function sortAsGo(networks: readonly Network[]): readonly Network[] {
  const sorted = networks.toSorted((a, b) => a.base.compare(b.base) || a.mask.compare(b.mask));
  const kept: Network[] = [];
  for (const network of sorted) {
    const last = kept.at(-1);
    if (last === undefined || !isWithin(last, network)) kept.push(network);
  }
  return kept;
}

function isWithin(outer: Network, { base, mask }: Network): boolean {
  const end = Buffer.from(base.map((octet, at) => octet | (~(mask[at] ?? 0) & 0xff)));
  return containsInGo(outer, base) && containsInGo(outer, end);
}

/** `sorted` comes from sortAsGo. A network with host bits begins, for Go, at its address. */
export function findAsGo(sorted: readonly Network[], address: Buffer): boolean {
  const behind = sorted.findIndex(({ base }) => base.compare(address) > 0);
  const at = behind < 0 ? sorted.length - 1 : Math.max(behind - 1, 0);
  const network = sorted[at];
  return network !== undefined && (network.base.equals(address) || containsInGo(network, address));
}
