// Checks everything on the desk under the visitor's trust files.

import { type HistoryVerdict, type Item, verifyHistory } from "../evidence/completeness.ts";
import { Failure } from "../evidence/failure.ts";
import { Heads } from "../evidence/heads.ts";
import { parseHistory } from "../evidence/history.ts";
import { parseReceipt } from "../evidence/receipt.ts";
import type { Options, Verdict } from "../evidence/verdict.ts";
import { verifyReceipt } from "../evidence/verify.ts";
import { parseProof } from "../format/checkpoint.ts";
import { rootOf } from "../format/manifest.ts";
import { isOpeningOf } from "../format/opening.ts";
import type { Dataset } from "../format/statement.ts";
import { FormatError, encode } from "../format/text.ts";
import type { Trust } from "../format/trust.ts";
import { equal } from "../format/value.ts";
import { type Comparison, type Progress, compareFiles, explainChanges, isWhole } from "../files/compare.ts";
import type { Desk, Evidence } from "../files/desk.ts";
import type { Hasher } from "../files/hasher.ts";
import type { Memory } from "./memory.ts";

/** The trust file a verdict rests on, and how it came to be believed. */
export interface Belief {
  readonly name: string;
  readonly trust?: Trust;
  readonly how: "accepted" | "arrived" | "none";
}

export interface Files {
  readonly list?: { kind: "manifest" | "opening"; name: string; listed: number };
  readonly compared?: Comparison;
}

export interface CheckedReceipt {
  readonly evidence: Evidence;
  readonly belief: Belief;
  readonly verdict?: Verdict;
  failure?: Failure; // beside a verdict: of the files
  files?: Files; // of a statement about files
  place?: { history: HistoryVerdict; item: Item }; // in a history that verified
}

export interface CheckedHistory {
  readonly evidence: Evidence;
  readonly belief: Belief;
  readonly verdict?: HistoryVerdict;
  readonly failure?: Failure;
}

export interface Result {
  readonly receipts: CheckedReceipt[]; // in log order, refused ones first
  readonly histories: CheckedHistory[];
}

export async function check(desk: Desk, memory: Memory, trial: string | undefined, hasher: Pick<Hasher, "hash" | "explain">, progress: (p: Progress) => void): Promise<Result> {
  const now = Math.floor(Date.now() / 1000);
  const options = (b: Belief): Options => ({ trust: b.trust, confirmed: b.how === "accepted", trial, now });
  const heads = new Map<Trust | undefined, Heads>();
  const headsOf = (t: Trust | undefined): Heads => heads.get(t) ?? heads.set(t, new Heads(t, now)).get(t)!;
  const of = desk.receipts.length + desk.histories.length;
  let done = 0;
  /** Lets the page breathe between one piece of evidence and the next. */
  const next = async (name: string): Promise<void> => {
    if (of > 1) progress({ done: done++, of, name });
    await new Promise((r) => setTimeout(r));
  };
  const histories: CheckedHistory[] = [];
  for (const evidence of desk.histories) {
    await next(evidence.name);
    histories.push({ evidence, ...(await believing(beliefs(originOf(() => encode(parseHistory(evidence.bytes).proof)), desk, memory), (b) => verifyHistory(evidence.bytes, options(b)))) });
  }
  const receipts: CheckedReceipt[] = [];
  for (const evidence of desk.receipts) {
    await next(evidence.name);
    receipts.push({ evidence, ...(await believing(beliefs(originOf(() => parseReceipt(evidence.bytes).proof), desk, memory), (b) => verifyReceipt(evidence.bytes, options(b), headsOf(b.trust)))) });
  }
  receipts.sort((a, b) => (!a.verdict || !b.verdict ? Number(!!a.verdict) - Number(!!b.verdict) : a.verdict.entry.index < b.verdict.entry.index ? -1 : 1));
  for (const r of receipts) {
    if (!r.verdict) continue;
    for (const h of histories) {
      const item = h.verdict?.origin === r.verdict.origin ? h.verdict.streams.flatMap((s) => s.items).find((i) => i.entry.index === r.verdict!.entry.index && i.entry.statement === r.verdict!.statement.id) : undefined;
      if (item) r.place = { history: h.verdict!, item };
    }
    if (r.verdict.statement.dataset) await checkFiles(r, r.verdict.statement.dataset, desk, receipts.length === 1, hasher, progress);
  }
  return { receipts, histories };
}

/** The log that evidence says it is of, undefined if that cannot be read. */
function originOf(proof: () => Uint8Array): string | undefined {
  try {
    return parseProof(proof()).checkpoint.origin;
  } catch (e) {
    if (e instanceof FormatError) return undefined;
    throw e;
  }
}

/** The visitor's own trust file; or else those that came with the evidence, which do not count, or none. */
function beliefs(origin: string | undefined, desk: Desk, memory: Memory): Belief[] {
  const own = origin === undefined ? undefined : memory.of(origin);
  if (own) return [{ name: own.name, trust: own.trust, how: "accepted" }];
  const arrived = desk.trusts.filter((t) => t.trust.policy.log.name === origin).slice(0, 16);
  return arrived.length > 0 ? arrived.map((t): Belief => ({ ...t, how: "arrived" })) : [{ name: "", how: "none" }];
}

async function believing<V>(all: Belief[], verify: (b: Belief) => Promise<V>): Promise<{ belief: Belief; verdict: V } | { belief: Belief; failure: Failure }> {
  let last: { belief: Belief; failure: Failure } | undefined;
  for (const belief of all) {
    try {
      return { belief, verdict: await verify(belief) };
    } catch (e) {
      if (!(e instanceof Failure)) throw e;
      last = { belief, failure: e };
    }
  }
  return last!;
}

/** Finds the list of a statement's files, and compares those on the desk with it. */
async function checkFiles(r: CheckedReceipt, d: Dataset, desk: Desk, only: boolean, hasher: Pick<Hasher, "hash" | "explain">, progress: (p: Progress) => void): Promise<void> {
  const manifest = desk.manifests.find((m) => BigInt(m.manifest.files.length) === d.files && m.manifest.bytes === d.bytes && equal(rootOf(m.manifest), d.root));
  const openings = desk.openings.filter((o) => isOpeningOf(o.opening, d.root, d.files));
  if (!manifest && openings.length === 0) {
    r.files = {};
    // With one receipt alone a list can only be meant for it.
    if (only && (desk.manifests.length > 0 || desk.openings.length > 0)) r.failure = new Failure("files", "otherList");
    return;
  }
  const all = manifest ? manifest.manifest.files : [...new Map(openings.flatMap((o) => o.opening.files).map((f) => [f.path, f])).values()];
  const list = { kind: manifest ? ("manifest" as const) : ("opening" as const), name: manifest?.name ?? openings.map((o) => o.name).join(", "), listed: all.length };
  r.files = { list };
  if (desk.data.length === 0) return;
  const found = await compareFiles(all, desk.data, desk.own, hasher.hash, progress);
  // Of several receipts each may be about some of the files.
  const wanted = only ? found : { ...found, partial: true, extra: [] };
  const compared = isWhole(wanted) ? wanted : await explainChanges(wanted, all, desk.data, hasher.explain, progress);
  r.files = { list, compared };
  if (only ? !isWhole(compared) : compared.changed.length > 0) r.failure = new Failure("files", "filesDiffer");
}

/** Every word of a verdict as the command line's --json says it. */
export type Word = "verified" | "not verified" | "unconfirmed";

export const wordOf = (r: { failure?: Failure; verdict?: { confirmed: boolean } }): Word => (r.failure ? "not verified" : r.verdict?.confirmed ? "verified" : "unconfirmed");
