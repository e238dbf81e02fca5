// That the entries of a history are all that its streams held by its batch.

import type { Batch, Entry } from "../format/entry.ts";
import { fold, noHead, provesMap } from "../format/streammap.ts";
import { equal } from "../format/value.ts";
import { Failure } from "./failure.ts";
import type { HistoryRead, StreamRead } from "./history.ts";

/** Each stream's value is in the map that the batch commits to, and its entries are those that the map folded. */
export function checkComplete(h: HistoryRead): void {
  const seen = new Set<string>();
  for (const s of h.streams) {
    if (seen.has(s.proof.stream)) throw new Failure("map", "streamTwice", { n: s.n });
    seen.add(s.proof.stream);
    if (!provesMap(s.proof, h.batch.mapRoot)) throw new Failure("map", "notInMap", { n: s.n, batch: h.batch.number });
  }
  for (const s of h.streams) checkStream(s);
  checkOneLog(h);
}

function checkStream(s: StreamRead): void {
  const here = BigInt(s.entries.length), { count } = s.proof;
  if (here < count) throw new Failure("entries", "entriesMissing", { n: s.n, count, here, missing: count - here });
  if (here > count) throw new Failure("entries", "entriesTooMany", { n: s.n, count, here });
  const statements = new Set<string>();
  let head: Uint8Array = noHead;
  s.entries.forEach((e, i) => {
    const before = s.entries[i - 1];
    if (e.stream !== s.proof.stream || e.seq !== BigInt(i + 1) || (before && e.index <= before.index) || statements.has(e.statement)) {
      throw new Failure("entries", "entryOutOfPlace", { n: s.n, entry: i + 1 });
    }
    statements.add(e.statement);
    head = fold(head, s.leaves[i]!);
  });
  if (!equal(head, s.proof.head)) throw new Failure("entries", "entriesChanged", { n: s.n, count });
}

/** Together the entries can be of one log, up to that batch. */
function checkOneLog({ streams, batch }: HistoryRead): void {
  const all = streams.flatMap((s) => s.entries).sort((a, b) => (a.index < b.index ? -1 : 1));
  all.forEach((e, i) => {
    const before = all[i - 1];
    if (!isOf(e, batch) || (before && !follows(before, e))) throw new Failure("entries", "batchesBackwards", { index: e.index });
  });
}

function follows(a: Entry, b: Entry): boolean {
  // Every batch has a leaf of its own, so there is room for those between.
  return a.index < b.index && a.batch <= b.batch && a.time <= b.time && (a.batch !== b.batch || a.time === b.time) && b.batch - a.batch <= b.index - a.index;
}

/** An entry is of the batch or of one before, as its index says. */
function isOf(e: Entry, b: Batch): boolean {
  const same = e.batch === b.number;
  return e.index < b.index && e.batch <= b.number && same === e.index >= b.first && e.time <= b.time && (!same || e.time === b.time);
}
