// Checkpoints and inclusion proofs: C2SP tlog-checkpoint without extension lines,
// tlog-proof without extra data. Form only; policy.ts believes or does not.

import { type Head, isKeyName, isOrigin } from "./key.ts";
import { FormatError, Lines, decodeLines, encode } from "./text.ts";
import { base64, hex, parseBase64, parseHash, parseNumber } from "./value.ts";

export interface SignatureLine {
  readonly name: string;
  readonly id: string; // of the key, 8 hex digits
  readonly signature: Uint8Array;
}

export interface Checkpoint extends Head {
  readonly bytes: Uint8Array;
  readonly lines: SignatureLine[];
}

const maxCheckpoint = 128 << 10, maxLines = 64;

export function parseCheckpoint(b: Uint8Array): Checkpoint {
  if (b.length > maxCheckpoint) throw new FormatError(`it has ${b.length} bytes, at most ${maxCheckpoint} are allowed`);
  const r = new Lines(decodeLines(b));
  const origin = r.next();
  if (!isOrigin(origin)) throw r.fault("is no origin");
  const size = r.parse(parseNumber, r.next());
  const root = r.parse(parseHash, r.next());
  if (r.next() !== "") throw r.fault("is an extension line, and this log has none");
  const lines: SignatureLine[] = [];
  do {
    const m = /^— ([^ ]+) ([^ ]+)$/u.exec(r.next());
    if (!m || !isKeyName(m[1]!)) throw r.fault("is no signature line");
    const sig = r.parse(parseBase64, m[2]!);
    if (sig.length < 5) throw r.fault("holds no signature");
    const line = { name: m[1]!, id: hex(sig.subarray(0, 4)), signature: sig.subarray(4) };
    if (lines.some((l) => l.name === line.name && l.id === line.id)) throw r.fault("is a second one of the same key");
    lines.push(line);
    if (lines.length > maxLines) throw r.fault("is a signature line too many");
  } while (r.more);
  return { origin, size, root, text: `${origin}\n${size}\n${base64(root)}\n`, bytes: b, lines };
}

export interface Proof {
  readonly index: bigint;
  readonly hashes: Uint8Array[];
  readonly checkpoint: Checkpoint;
}

export function parseProof(b: Uint8Array): Proof {
  const text = decodeLines(b);
  const split = text.indexOf("\n\n");
  if (b.length > maxCheckpoint + (8 << 10) || split < 0) throw new FormatError("it is not a proof, an empty line and a checkpoint");
  const r = new Lines(text.slice(0, split + 1));
  r.exact("c2sp.org/tlog-proof@v1");
  const index = r.parse(parseNumber, r.value("index"));
  const hashes: Uint8Array[] = [];
  while (r.more) {
    hashes.push(r.parse(parseHash, r.next()));
    if (hashes.length > 64) throw r.fault("is hash number 65, at most 64 are possible");
  }
  const checkpoint = parseCheckpoint(encode(text.slice(split + 2)));
  if (index >= checkpoint.size) throw new FormatError("its index is not below the size of the log");
  return { index, hashes, checkpoint };
}
