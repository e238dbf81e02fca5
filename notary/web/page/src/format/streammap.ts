// Map proofs: how many entries a stream has, and which, under a batch's map root.

import { FormatError, Lines, encode, decodeLines } from "./text.ts";
import { concat, equal, fromHex, parseHash, parseId, parseNumber, sha256, uint64be } from "./value.ts";

export interface MapProof {
  readonly stream: string;
  readonly count: bigint; // 0: absent
  readonly head: Uint8Array;
  readonly other?: { stream: string; count: bigint; head: Uint8Array } | undefined;
  readonly siblings: Uint8Array[]; // from the leaf up
}

const zero = new Uint8Array(32);

/** Bit i of a stream id, the most significant first. */
const bit = (id: Uint8Array, i: number): number => (id[i >> 3]! >> (7 - (i % 8))) & 1;

export function parseMapProof(b: Uint8Array): MapProof {
  const r = new Lines(decodeLines(b));
  r.exact("trialnotary/map-proof@v1");
  const stream = r.parse(parseId, r.value("stream"));
  const count = r.parse(parseNumber, r.value("count"));
  const head = r.parse(parseHash, r.value("head"));
  let other: MapProof["other"];
  if (r.has("other")) {
    const [id, n, h] = r.fields("other", 3) as [string, string, string];
    other = { stream: r.parse(parseId, id), count: r.parse(parseNumber, n), head: r.parse(parseHash, h) };
  }
  const siblings: Uint8Array[] = [];
  while (r.more && siblings.length < 256) siblings.push(r.parse(parseHash, r.value("sibling")));
  r.done();
  const p = { stream, count, head, other, siblings };
  checkMapProof(p);
  return p;
}

function checkMapProof(p: MapProof): void {
  const { other } = p;
  const share = other && Array.from({ length: p.siblings.length }, (_, i) => i).every((i) => bit(fromHex(p.stream), i) === bit(fromHex(other.stream), i));
  const rules: [boolean, string][] = [
    [p.count === 0n && !equal(p.head, zero), "an absent stream has no head"],
    [p.count > 0n && other !== undefined, "another stream's leaf proves absence only"],
    [other?.count === 0n, "the other stream has no entries"],
    [other?.stream === p.stream, "the other stream is the stream itself"],
    [share === false, "the other stream is not on the way to the stream"],
    // A leaf stands at the top of what it has to itself, and nothing beside nothing
    // is no subtree.
    [p.siblings[0] !== undefined && equal(p.siblings[0], zero), "the first sibling is empty, so the way ended above it"],
  ];
  for (const [broken, what] of rules) if (broken) throw new FormatError(what);
}

const mapLeaf = (id: string, count: bigint, head: Uint8Array): Uint8Array => sha256(concat(Uint8Array.of(0), fromHex(id), uint64be(count), head));

/** Whether p holds in the map with that root. */
export function provesMap(p: MapProof, root: Uint8Array): boolean {
  let h = p.count > 0n ? mapLeaf(p.stream, p.count, p.head) : p.other ? mapLeaf(p.other.stream, p.other.count, p.other.head) : zero;
  const id = fromHex(p.stream);
  p.siblings.forEach((s, i) => {
    const left = bit(id, p.siblings.length - 1 - i) === 0;
    h = sha256(concat(Uint8Array.of(1), left ? h : s, left ? s : h));
  });
  return equal(h, root);
}

/** The head of a stream after one more entry, given as its leaf hash. */
export const fold = (head: Uint8Array, leaf: Uint8Array): Uint8Array => sha256(concat(head, leaf));

export const noHead = zero;

export const mapProofOf = (text: string): MapProof => parseMapProof(encode(text));
