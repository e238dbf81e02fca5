// The container of a history, and its parts.

import { Parts, parseArchive } from "../format/archive.ts";
import { type Checkpoint, type Proof, parseCheckpoint, parseProof } from "../format/checkpoint.ts";
import { type Batch, type Entry, parseBatch, parseEntry, splitEntries } from "../format/entry.ts";
import { type MapProof, mapProofOf } from "../format/streammap.ts";
import { FormatError, encode } from "../format/text.ts";
import { leafHash } from "../format/tree.ts";
import { parseNumber } from "../format/value.ts";
import { Failure } from "./failure.ts";

export const historyVersion = "trialnotary/history@v1";
export const maxHistory = 64 << 20;

/** The parts about one stream; statements by the seq of their entries. */
export interface StreamParts {
  readonly mapProof: string;
  readonly entries: string;
  readonly statements: Map<bigint, Uint8Array>;
}

export interface HistoryParts {
  readonly batch: string;
  readonly proof: string;
  readonly auditors: string[];
  readonly streams: StreamParts[];
}

/** Parses the container; the parts' contents are not read. */
export function parseHistory(b: Uint8Array): HistoryParts {
  const parts = new Parts(parseArchive(b, historyVersion, maxHistory));
  const batch = parts.take("batch"), proof = parts.take("batch.tlog-proof");
  const auditors: string[] = [];
  while (parts.next(`auditor-${auditors.length + 1}.checkpoint`)) auditors.push(parts.take(`auditor-${auditors.length + 1}.checkpoint`));
  const streams: StreamParts[] = [];
  do {
    const n = streams.length + 1;
    const mapProof = parts.take(`${n}/map-proof`), entries = parts.takeAny(`${n}/entries`);
    const statements = new Map<bigint, Uint8Array>();
    const prefix = `${n}/statement-`;
    for (let last = 0n; parts.name?.startsWith(prefix); ) {
      const seq = parseNumber(parts.name.slice(prefix.length));
      if (seq <= last) throw new FormatError(`part "${parts.name}" is out of order`);
      last = seq;
      statements.set(seq, encode(parts.take(parts.name)));
    }
    streams.push({ mapProof, entries, statements });
  } while (parts.next(`${streams.length + 1}/map-proof`));
  parts.done();
  return { batch, proof, auditors, streams };
}

export interface StreamRead {
  readonly n: number;
  readonly proof: MapProof;
  readonly entries: Entry[];
  readonly leaves: Uint8Array[]; // their hashes
  readonly statements: Map<bigint, Uint8Array>;
}

export interface HistoryRead {
  readonly batch: Batch;
  readonly batchLeaf: Uint8Array; // its hash
  readonly proof: Proof;
  readonly auditors: (() => Checkpoint)[]; // read when it is their turn
  readonly streams: StreamRead[];
}

/** Reads every part but the auditors' checkpoints and the statements. Throws a Failure. */
export function readHistory(b: Uint8Array): HistoryRead {
  const read = <T>(step: "container" | "parts", what: string, parse: () => T): T => {
    try {
      return parse();
    } catch (e) {
      if (e instanceof FormatError) throw new Failure(step, step === "container" ? "form" : "historyForm", { what, detail: e.message });
      throw e;
    }
  };
  const h = read("container", "", () => parseHistory(b));
  const batch = read("parts", "batch", () => parseBatch(encode(h.batch)));
  const proof = read("parts", "batch.tlog-proof", () => parseProof(encode(h.proof)));
  const streams = h.streams.map((s, i): StreamRead => {
    const mapProof = read("parts", `${i + 1}/map-proof`, () => mapProofOf(s.mapProof));
    const texts = read("parts", `${i + 1}/entries`, () => splitEntries(s.entries).map(encode));
    const entries = read("parts", `${i + 1}/entries`, () => texts.map(parseEntry));
    return { n: i + 1, proof: mapProof, entries, leaves: texts.map(leafHash), statements: s.statements };
  });
  const auditors = h.auditors.map((a, i) => () => read("parts", `auditor-${i + 1}.checkpoint`, () => parseCheckpoint(encode(a))));
  return { batch, batchLeaf: leafHash(encode(h.batch)), proof, auditors, streams };
}
