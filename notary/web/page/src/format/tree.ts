// RFC 6962 trees: leaf and node hashes, roots, inclusion.

import { concat, equal, sha256 } from "./value.ts";

export const leafHash = (leaf: Uint8Array): Uint8Array => sha256(concat(Uint8Array.of(0), leaf));
export const nodeHash = (l: Uint8Array, r: Uint8Array): Uint8Array => sha256(concat(Uint8Array.of(1), l, r));

/** The tree head over leaf hashes (RFC 6962 §2.1). */
export function treeHead(leaves: Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256(new Uint8Array(0));
  // Pair by pair, the odd last one carried up: the same tree, without recursion.
  let level = leaves;
  while (level.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i + 1 < level.length; i += 2) above.push(nodeHash(level[i]!, level[i + 1]!));
    if (level.length % 2 === 1) above.push(level.at(-1)!);
    level = above;
  }
  return level[0]!;
}

/** Whether the leaf with that hash is at index in the tree of that size and root (RFC 9162 §2.1.3.2). */
export function isIncluded(leaf: Uint8Array, index: bigint, size: bigint, path: Uint8Array[], root: Uint8Array): boolean {
  if (index >= size) return false;
  let fn = index, sn = size - 1n, r = leaf;
  for (const p of path) {
    if (sn === 0n) return false;
    if (fn % 2n === 1n || fn === sn) {
      r = nodeHash(p, r);
      while (fn % 2n === 0n && fn !== 0n) {
        fn /= 2n;
        sn /= 2n;
      }
    } else {
      r = nodeHash(r, p);
    }
    fn /= 2n;
    sn /= 2n;
  }
  return sn === 0n && equal(r, root);
}
