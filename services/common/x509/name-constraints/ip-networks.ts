// IP networks of name constraints (RFC 5280 section 4.2.1.10), and whether they contain an address according to Go and
// OpenSSL: both compare under the mask, but Go checks only the network that starts closest to the address. Pure.

export interface Network {
  /** The base address, with host bits if it has any. */
  readonly base: Buffer;
  readonly mask: Buffer;
}

/** Undefined unless the value has the length of IPv4 or IPv6. */
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

/** Go treats an IPv4-mapped address as the IPv4 address, which no IPv6 network contains unless it is mapped as well. */
function containsInGo({ base, mask }: Network, address: Buffer): boolean {
  return contains({ base: unmap(base), mask: isMapped(base) ? mask.subarray(12) : mask }, unmap(address));
}

function isMapped(address: Buffer): boolean {
  return address.length === 16 && address.subarray(0, 12).equals(IPV4_MAPPED);
}

function unmap(address: Buffer): Buffer {
  return isMapped(address) ? address.subarray(12) : address;
}

/** Networks of one family in Go's search order: by address, without those within the previous one. */
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

/** `sorted` comes from sortAsGo. For Go, a network with host bits starts at its address. */
export function findAsGo(sorted: readonly Network[], address: Buffer): boolean {
  const behind = sorted.findIndex(({ base }) => base.compare(address) > 0);
  const at = behind < 0 ? sorted.length - 1 : Math.max(behind - 1, 0);
  const network = sorted[at];
  return network !== undefined && (network.base.equals(address) || containsInGo(network, address));
}
