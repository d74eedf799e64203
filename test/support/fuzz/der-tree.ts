// A DER structure as a tree that can be mutated in one place and encoded again with correct lengths, so that a mutation
// is not masked by a length error. Knows which OCTET STRINGs and BIT STRINGs contain DER.

import { readWhole, type Tlv, tlv } from '@countersign/common/x509/der.ts';
import type { Random } from './random.ts';

export interface Node {
  tag: number;
  /** Content before the children: the number of unused bits of a BIT STRING. */
  prefix: Buffer;
  /** Either children or content. */
  children: Node[] | undefined;
  content: Buffer;
}

/** Parses DER into a tree, including DER in strings. undefined if it is not DER. */
export function readTree(der: Buffer): Node | undefined {
  const whole = readWhole(der);
  return whole.ok ? toNode(whole.value) : undefined;
}

function toNode({ tag, value }: Tlv): Node {
  const isConstructed = (tag & 0x20) !== 0;
  if (isConstructed) return { tag, prefix: Buffer.alloc(0), children: readRow(value), content: value };
  const skip = tag === 3 ? 1 : 0;
  const holdsDer = (tag === 3 || tag === 4) && value[skip] === 0x30;
  const children = holdsDer ? readRow(value.subarray(skip)) : undefined;
  return { tag, prefix: children ? value.subarray(0, skip) : Buffer.alloc(0), children, content: value };
}

function readRow(value: Buffer): Node[] | undefined {
  const nodes: Node[] = [];
  for (let at = 0; at < value.length; ) {
    const length = elementLength(value, at);
    const element = length === undefined ? undefined : readTree(value.subarray(at, at + length));
    if (length === undefined || element === undefined) return undefined;
    nodes.push(element);
    at += length;
  }
  return nodes;
}

function elementLength(value: Buffer, at: number): number | undefined {
  const first = value[at + 1];
  if (first === undefined) return undefined;
  if (first < 0x80) return 2 + first;
  const size = first & 0x7f;
  return size >= 1 && size <= 3 && at + 2 + size <= value.length
    ? 2 + size + value.readUIntBE(at + 2, size)
    : undefined;
}

export function writeTree({ tag, prefix, children, content }: Node): Buffer {
  return children ? tlv(tag, prefix, ...children.map(writeTree)) : tlv(tag, content);
}

function allNodes(root: Node): { readonly node: Node; readonly siblings: Node[] }[] {
  const found: { node: Node; siblings: Node[] }[] = [{ node: root, siblings: [] }];
  for (const { node } of found)
    for (const child of node.children ?? []) found.push({ node: child, siblings: node.children ?? [] });
  return found;
}

type Change = (random: Random, node: Node, siblings: Node[]) => void;

/** Mutates one to three places and sometimes a byte of the encoded result. `dictionary` holds interesting values. */
export function mutate(der: Buffer, random: Random, dictionary: readonly Buffer[]): Buffer {
  const root = readTree(der);
  if (root === undefined) return der;
  const changes = changesWith(dictionary);
  for (let left = 1 + Math.max(0, random.below(6) - 3); left > 0; left--) {
    const { node, siblings } = random.pick(allNodes(root));
    random.pick(changes)(random, node, siblings);
  }
  const written = writeTree(root);
  if (random.below(20) === 0) written[random.below(written.length)] = random.below(256);
  return written;
}

const TAGS = [1, 2, 3, 4, 5, 6, 0x0a, 0x0c, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1a, 0x1e, 0x30, 0x31];
const CONTEXT_TAGS = [0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap(number => [0x80 | number, 0xa0 | number]);
const OCTETS = [0, 1, 2, 0x7f, 0x80, 0xff, 0x2e, 0x40, 0x5a];

function changesWith(dictionary: readonly Buffer[]): readonly Change[] {
  const setContent = (node: Node, content: Buffer) => Object.assign(node, { content, children: undefined });
  const spoil: Change = (random, node) => {
    const content = Buffer.from(node.children ? writeTree(node).subarray(2) : node.content);
    if (content.length > 0) content[random.below(content.length)] = random.pick([...OCTETS, random.below(256)]);
    setContent(node, content);
  };
  return [
    spoil,
    spoil,
    (random, node) => void (node.tag = random.pick([...TAGS, ...CONTEXT_TAGS])),
    (_, node) => void (node.tag ^= 0x20),
    (random, node) => setContent(node, random.pick(dictionary)),
    (random, node) => setContent(node, random.pick(dictionary)),
    (random, node) => setContent(node, node.content.subarray(0, random.below(node.content.length + 1))),
    (random, node) => setContent(node, Buffer.concat([node.content, random.bytes(1 + random.below(3))])),
    (random, node) => setContent(node, Buffer.concat([Buffer.of(random.pick([0, 0xff, 1])), node.content])),
    (_, node) => setContent(node, Buffer.alloc(0)),
    (_, node, siblings) => void siblings.splice(siblings.indexOf(node), siblings.includes(node) ? 1 : 0),
    (_, node, siblings) => void siblings.push(structuredCloneNode(node)),
    (random, node, siblings) => void siblings.splice(random.below(siblings.length + 1), 0, structuredCloneNode(node)),
    (random, node) => void node.children?.push({ ...leaf(random.pick(dictionary)), tag: random.pick(TAGS) }),
    (random, node, siblings) => {
      const other = random.pick(siblings.length > 0 ? siblings : [node]);
      Object.assign(node, structuredCloneNode(other));
    },
  ];
}

function leaf(content: Buffer): Node {
  return { tag: 4, prefix: Buffer.alloc(0), children: undefined, content };
}

function structuredCloneNode(node: Node): Node {
  return { ...node, children: node.children?.map(structuredCloneNode) };
}
