// What each of the two verifiers says, in the same words.

import { readFileSync } from "node:fs";
import { verifyHistory } from "../src/evidence/completeness.ts";
import { Failure } from "../src/evidence/failure.ts";
import type { Verdict } from "../src/evidence/verdict.ts";
import { verifyReceipt } from "../src/evidence/verify.ts";
import { undoTravel } from "../src/format/text.ts";
import type { Trust } from "../src/format/trust.ts";
import { formatTime } from "../src/format/value.ts";

/** What the program's --json says of a receipt, and all that is compared of it. */
export interface Said {
  verdict: string;
  file: string;
  failed?: string;
  statement?: string; key?: string; signer?: string; enrolled_by?: string;
  no_later_than?: string; time_stamp_authority?: string; time_stamps_renewed?: string; not_before?: string;
  witnesses: number; witnesses_of: number;
  index?: number; seq?: number; final_size?: number;
  trial_fingerprint?: string; trust_fingerprint?: string;
}

const time = (s: number | undefined): string | undefined => (s === undefined ? undefined : formatTime(s));

function say(file: string, v: Verdict): Said {
  const said: Said = {
    verdict: v.confirmed ? "verified" : "unconfirmed", file, statement: v.statement.id, key: v.statement.keyName, enrolled_by: v.enroller,
    witnesses: v.met?.witnesses.length ?? 0, witnesses_of: v.met?.of ?? 0, index: Number(v.entry.index), seq: Number(v.entry.seq), final_size: Number(v.finalSize), trial_fingerprint: v.trialFingerprint,
  };
  if (v.statement.signer !== undefined) said.signer = v.statement.signer;
  if (v.noLaterThan) said.no_later_than = time(v.noLaterThan.at)!;
  if (v.noLaterThan?.by === "tsa") said.time_stamp_authority = v.noLaterThan.name;
  const renewed = v.renewals.filter((r) => r.at !== undefined).at(-1);
  if (renewed) said.time_stamps_renewed = time(renewed.at)!;
  if (v.after?.notBefore !== undefined) said.not_before = time(v.after.notBefore)!;
  return said;
}

export async function ourReceipt(file: string, trust: Trust): Promise<Said> {
  const { bytes } = undoTravel(new Uint8Array(readFileSync(file)));
  try {
    return say(file, await verifyReceipt(bytes, { trust, confirmed: true, now: Math.floor(Date.now() / 1000) }));
  } catch (e) {
    if (e instanceof Failure) return { verdict: "not verified", failed: e.step, file, witnesses: 0, witnesses_of: 0 };
    throw e;
  }
}

/** The program's words, without what only it says. */
export function theirReceipt(s: Said): Said {
  const { verdict, file, failed, statement, key, signer, enrolled_by, no_later_than, time_stamp_authority, time_stamps_renewed, not_before, witnesses, witnesses_of, index, seq, final_size, trial_fingerprint } = s;
  return JSON.parse(JSON.stringify({ verdict, file, failed, statement, key, signer, enrolled_by, no_later_than, time_stamp_authority, time_stamps_renewed, not_before, witnesses, witnesses_of, index, seq, final_size, trial_fingerprint })) as Said;
}

/** What the program's --json says of a history. */
export interface HistorySaid {
  verdict: string;
  failed?: string;
  batch?: number; index?: number; no_later_than?: string; witnesses?: number;
  auditors?: string[]; trial_fingerprint?: string; whole?: boolean;
  streams?: { id: string; count: number; entries?: { index: number; statement: string; state: string }[] }[];
}

export async function ourHistory(b: Uint8Array, trust: Trust): Promise<HistorySaid> {
  try {
    const v = await verifyHistory(undoTravel(b).bytes, { trust, confirmed: true, now: Math.floor(Date.now() / 1000) });
    return {
      verdict: "verified", batch: Number(v.batch.number), index: Number(v.batch.index), witnesses: v.met?.witnesses.length ?? 0, whole: v.wholeTrial,
      auditors: v.auditors.map((a) => a.name),
      ...(v.met?.noLaterThan !== undefined ? { no_later_than: time(v.met.noLaterThan)! } : {}),
      ...(v.believed ? { trial_fingerprint: v.believed.trialFingerprint } : {}),
      streams: v.streams.map((s) => ({ id: s.id, count: s.items.length, entries: s.items.map((i) => ({ index: Number(i.entry.index), statement: i.entry.statement, state: i.state === "rival" ? "another registration" : i.state })) })),
    };
  } catch (e) {
    if (e instanceof Failure) return { verdict: "not verified", failed: e.step };
    throw e;
  }
}

export function theirHistory({ verdict, failed, batch, index, no_later_than, witnesses, auditors, trial_fingerprint, whole, streams }: HistorySaid): HistorySaid {
  if (verdict === "not verified") return { verdict, failed: failed! };
  return JSON.parse(JSON.stringify({
    verdict, batch, index, witnesses, whole: whole ?? false, auditors: auditors ?? [], no_later_than, trial_fingerprint,
    streams: streams!.map((s) => ({ id: s.id, count: s.count, entries: (s.entries ?? []).map((e) => ({ index: e.index, statement: e.statement, state: e.state })) })),
  })) as HistorySaid;
}
