// A statement with its place in the log, its parts parsed; nothing verified.

import { type Checkpoint, type Proof, parseProof } from "../format/checkpoint.ts";
import { type Entry, parseEntry } from "../format/entry.ts";
import { type Statement, parseStatement } from "../format/statement.ts";
import { FormatError } from "../format/text.ts";
import { isIncluded, leafHash } from "../format/tree.ts";
import { Failure } from "./failure.ts";
import type { LoggedParts } from "./receipt.ts";
import type { Met } from "../format/quorum.ts";

/** Which of a receipt's statements: a word of the catalogue, and a number for grants. */
export interface What {
  readonly part: "statement" | "grant" | "registration";
  readonly n: number;
}

export interface Logged {
  readonly what: What;
  readonly statement: Statement;
  readonly bytes: Uint8Array; // of the entry
  readonly entry: Entry;
  readonly proof: Proof;
  readonly head: Checkpoint;
  met?: Met;
}

export const whatValues = (w: What): Record<string, string> => ({ part: w.part, n: w.n > 0 ? String(w.n) : "" });

export function parseLogged(what: What, l: LoggedParts): Logged {
  const part = <T>(code: string, parse: () => T): T => {
    try {
      return parse();
    } catch (e) {
      // The format's own words, which quote nothing that no signature vouches for.
      if (e instanceof FormatError) throw new Failure("parts", code, { ...whatValues(what), detail: e.message });
      throw e;
    }
  };
  const statement = part("statementForm", () => parseStatement(l.statement));
  const entry = part("entryForm", () => parseEntry(l.entry));
  const proof = part("proofForm", () => parseProof(l.proof));
  return { what, statement, bytes: l.entry, entry, proof, head: proof.checkpoint };
}

/** The exact entry bytes are in the log, at the entry's own index. */
export function checkInclusion(l: Logged): void {
  if (l.entry.index !== l.proof.index) throw new Failure("inclusion", "indexDiffers", { ...whatValues(l.what), entry: l.entry.index, proof: l.proof.index });
  if (!isIncluded(leafHash(l.bytes), l.proof.index, l.head.size, l.proof.hashes, l.head.root)) throw new Failure("inclusion", "notInLog", whatValues(l.what));
}
