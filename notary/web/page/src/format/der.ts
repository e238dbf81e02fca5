// The outer form of DER, as far as a file can be told from noise.

/** Whether b is one DER value, every length within it exact. */
export function isDER(b: Uint8Array): boolean {
  return b.length > 0 && end(b, 0, b.length, 0) === b.length;
}

const deepest = 32;

/** Where the value at `at` ends, -1 if it is none. */
function end(b: Uint8Array, at: number, limit: number, depth: number): number {
  if (at + 2 > limit || depth > deepest || (b[at]! & 0x1f) === 0x1f) return -1;
  let length = b[at + 1]!, from = at + 2;
  if (length >= 0x80) {
    const n = length & 0x7f;
    if (n === 0 || n > 4 || from + n > limit) return -1;
    length = 0;
    for (let i = 0; i < n; i++) length = length * 256 + b[from++]!;
    if (length < 0x80 || (n > 1 && length < 2 ** (8 * (n - 1)))) return -1; // not the shortest form
  }
  const to = from + length;
  if (to > limit) return -1;
  if ((b[at]! & 0x20) !== 0) {
    for (let i = from; i < to; ) {
      i = end(b, i, to, depth + 1);
      if (i < 0) return -1;
    }
  }
  return to;
}
