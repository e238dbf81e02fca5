// The log's second memory: what it committed to, before it signed anything.

import { FormatError, Lines, decodeLines } from "./text.ts";
import { parseHash, parseNumber } from "./value.ts";

export interface CommittedHead {
  readonly batch: bigint;
  readonly size: bigint;
  readonly root: Uint8Array;
}

export function parseHead(b: Uint8Array): CommittedHead {
  const r = new Lines(decodeLines(b));
  r.exact("trialnotary/head@v1");
  const batch = r.parse(parseNumber, r.value("batch"));
  const size = r.parse(parseNumber, r.value("size"));
  const root = r.parse(parseHash, r.value("root"));
  r.done();
  if (batch === 0n || size < batch) throw new FormatError("every batch has at least one leaf, and the first is number 1");
  return { batch, size, root };
}
