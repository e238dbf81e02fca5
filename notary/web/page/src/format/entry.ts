// The leaves of the public log: entries, and the leaf that ends each batch.

import { FormatError, Lines, decodeLines } from "./text.ts";
import { type Seconds, parseHash, parseId, parseNumber, parseTime } from "./value.ts";

export interface Entry {
  readonly index: bigint;
  readonly batch: bigint;
  readonly time: Seconds; // of its batch: the operator's clock
  readonly stream: string;
  readonly seq: bigint;
  readonly statement: string;
}

export interface Batch {
  readonly index: bigint;
  readonly number: bigint;
  readonly time: Seconds;
  readonly first: bigint;
  readonly streams: bigint;
  readonly mapRoot: Uint8Array;
}

function readBatch(r: Lines): { batch: bigint; time: Seconds } {
  const [number, time] = r.fields("batch", 2) as [string, string];
  const batch = r.parse(parseNumber, number);
  if (batch === 0n) throw r.fault("counts from 0; the first batch has number 1");
  return { batch, time: r.parse(parseTime, time) };
}

export function parseEntry(b: Uint8Array): Entry {
  const r = new Lines(decodeLines(b));
  r.exact("trialnotary/entry@v1");
  const index = r.parse(parseNumber, r.value("index"));
  const { batch, time } = readBatch(r);
  const stream = r.parse(parseId, r.value("stream"));
  const seq = r.parse(parseNumber, r.value("seq"));
  if (seq === 0n) throw r.fault("counts from 0; the first entry of a stream has seq 1");
  const statement = r.parse(parseId, r.value("statement"));
  r.done();
  return { index, batch, time, stream, seq, statement };
}

export function parseBatch(b: Uint8Array): Batch {
  const r = new Lines(decodeLines(b));
  r.exact("trialnotary/batch@v1");
  const index = r.parse(parseNumber, r.value("index"));
  const { batch, time } = readBatch(r);
  const first = r.parse(parseNumber, r.value("first"));
  if (first > index) throw r.fault("is after the batch leaf's own index");
  const [streams, root] = r.fields("streams", 2) as [string, string];
  const leaf = { index, number: batch, time, first, streams: r.parse(parseNumber, streams), mapRoot: r.parse(parseHash, root) };
  r.done();
  return leaf;
}

const linesOfAnEntry = 6;

/** Takes concatenated entries apart: the exact text of each. */
export function splitEntries(text: string): string[] {
  if (text === "") return [];
  const lines = text.slice(0, -1).split("\n");
  if (!text.endsWith("\n") || lines.length % linesOfAnEntry !== 0) throw new FormatError("it is not a whole number of entries");
  return Array.from({ length: lines.length / linesOfAnEntry }, (_, i) => lines.slice(i * linesOfAnEntry, (i + 1) * linesOfAnEntry).join("\n") + "\n");
}
