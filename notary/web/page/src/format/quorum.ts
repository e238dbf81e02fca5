// Whether a checkpoint meets a policy, and which times its witnesses prove.

import type { Checkpoint } from "./checkpoint.ts";
import { type Algorithm, type Key, algorithmOf, isTimed, timeOf, verifyHead } from "./key.ts";
import { type Member, type Policy, isMet, witnessesOf } from "./policy.ts";
import type { Seconds } from "./value.ts";

/** How a checkpoint meets a policy. */
export interface Met {
  /** Some satisfying quorum's cosignatures were all made by then; absent without witnesses. */
  readonly noLaterThan?: Seconds;
  /** Some satisfying quorum's cosignatures were all made from then on. */
  readonly notBefore?: Seconds;
  readonly witnesses: string[]; // policy names of those in the quorum that cosigned, without the log's own
  readonly of: number;
}

/** Why a checkpoint does not meet a policy. */
export class Unmet extends Error {
  constructor(readonly code: "otherLog" | "badSignature" | "notSigned" | "retired" | "quorum" | "logAlgorithm", readonly name = "") {
    super(code);
  }
}

export type Accepts = (a: Algorithm, at: Seconds | undefined) => boolean;

type Times = Map<Member, number>;

/**
 * Checks origin, the log's signature, every signature of a key that the policy
 * knows, and the quorum. Lines of unknown keys count for nothing; so does a
 * cosignature whose time no format writes, but it must verify. What retired keys
 * signed is judged by the policy of then, up to its size.
 */
export function verifyPolicy(newest: Policy, c: Checkpoint, accepts: Accepts): Met {
  if (c.origin !== newest.log.name) throw new Unmet("otherLog");
  const p = judging(newest, c);
  const times: Times = new Map();
  let signed = false;
  for (const line of c.lines) {
    const w = p.witnesses.find((w) => names(w.key!, line));
    const key = w ? w.key! : names(p.log, line) ? p.log : undefined;
    if (!key) continue;
    if (!verifyHead(key, c, line.signature)) throw new Unmet("badSignature", `${key.name}+${key.id}`);
    if (!w) signed = true;
    else if (isTimed(key.type)) {
      const t = timeOf(line.signature);
      if (0n < t && t <= lastSecond) times.set(w, Number(t));
    }
  }
  if (!signed) throw new Unmet("notSigned");

  // Without an algorithm that was no longer accepted at the witnessed time, that
  // time can only become later: drop until nothing changes.
  for (;;) {
    const met = evaluate(p, times);
    if (!accepts(algorithmOf(p.log.type), met.noLaterThan)) throw new Unmet("logAlgorithm", algorithmOf(p.log.type));
    const dropped = [...times.keys()].filter((w) => !accepts(algorithmOf(w.key!.type), met.noLaterThan));
    if (dropped.length === 0) return met;
    for (const w of dropped) times.delete(w);
  }
}

/** The policy that a checkpoint is judged by: the newest whose log key signed it. */
function judging(newest: Policy, c: Checkpoint): Policy {
  const signed = (p: Policy): boolean => c.lines.some((line) => names(p.log, line));
  if (signed(newest)) return newest;
  const old = [...(newest.retired ?? [])].reverse().find((r) => signed(r.policy));
  if (!old) return newest;
  if (c.size > old.until) throw new Unmet("retired", `${old.until}`);
  return old.policy;
}

const lastSecond = 253402300799n; // of the year 9999

const names = (k: Key, line: { name: string; id: string }): boolean => k.name === line.name && k.id === line.id;

function evaluate(p: Policy, times: Times): Met {
  if (!isMet(p.quorum, (w) => times.has(w))) throw new Unmet("quorum");
  const others = witnessesOf(p.quorum).filter((w) => !w.own);
  const latest = bound(p.quorum, times, -Infinity, (ts, k) => ts[k - 1]!)!;
  const earliest = bound(p.quorum, times, Infinity, (ts, k) => ts[ts.length - k]!)!;
  return {
    witnesses: others.filter((w) => times.has(w)).map((w) => w.name),
    of: others.length,
    ...(Number.isFinite(latest) ? { noLaterThan: latest, notBefore: earliest } : {}),
  };
}

/**
 * The best time over the satisfying quorums of m. Every witness is in one group at
 * most, so the best k members of a group are at an end of their sorted times. The
 * log's own key proves no time: it counts as `own`.
 */
function bound(m: Member, times: Times, own: number, pick: (sorted: number[], k: number) => number): number | undefined {
  if (m.key) return !times.has(m) ? undefined : m.own ? own : times.get(m);
  const ts = m.members.map((c) => bound(c, times, own, pick)).filter((t) => t !== undefined).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return ts.length < m.threshold ? undefined : pick(ts, m.threshold);
}
