// Verifies a receipt, in the order of the format; the first step that fails ends it.

import { type Checkpoint, parseCheckpoint } from "../format/checkpoint.ts";
import { keysOf, mayGrant } from "../format/kind.ts";
import type { Met } from "../format/quorum.ts";
import { registrationStreams } from "../format/statement.ts";
import { FormatError } from "../format/text.ts";
import { type Seconds, equal, sha256 } from "../format/value.ts";
import { Authority, type Grant, Refusal, chainOf } from "./authority.ts";
import { type Believed, believe } from "./believe.ts";
import { Failure, type Step } from "./failure.ts";
import { Heads } from "./heads.ts";
import { type Logged, checkInclusion, parseLogged, whatValues } from "./logged.ts";
import { type Receipt, parseReceipt } from "./receipt.ts";
import { type TimestampVerdict, verifyStamps } from "./timestamp.ts";
import type { Options, Verdict } from "./verdict.ts";

/** Verifies a receipt's bytes; throws a Failure where it is NOT VERIFIED. heads are of the same options. */
export async function verifyReceipt(bytes: Uint8Array, o: Options, heads = new Heads(o.trust, o.now)): Promise<Verdict> {
  let r: Receipt;
  try {
    r = parseReceipt(bytes);
  } catch (e) {
    if (e instanceof FormatError) throw new Failure("container", "form", { detail: e.message });
    throw e;
  }
  const t = new Verification(r, o, heads);
  const { timestamps, renewals } = await verifyStamps({ timestamps: r.timestamps, checkpoint: t.statement.head.bytes, renewals: r.renewals }, o.trust, o.now);
  // All of the receipt was there by the first renewal that counts.
  t.checkpoints(renewals.find((v) => v.at !== undefined)?.at);
  t.all.forEach(checkInclusion);
  t.entries();
  const shown = t.authority();
  t.checkAfter();
  const met = t.statement.met;
  const stamped = earliest(timestamps) ?? (met?.noLaterThan === undefined ? earliest(renewals) : undefined);
  return {
    ...shown, statement: t.statement.statement, entry: t.statement.entry, confirmed: o.trust !== undefined && o.confirmed, unsigned: o.trust === undefined,
    origin: t.statement.head.origin, finalSize: t.statement.head.size, met, timestamps, renewals,
    after: t.after && { size: t.after.size, notBefore: t.afterMet?.notBefore, met: t.afterMet },
    noLaterThan: stamped ? { at: stamped.at!, by: "tsa", name: stamped.authority! } : met?.noLaterThan !== undefined ? { at: met.noLaterThan, by: "witnesses", name: "" } : undefined,
  };
}

const earliest = (all: TimestampVerdict[]): TimestampVerdict | undefined => all.filter((s) => s.at !== undefined).sort((a, b) => a.at! - b.at!)[0];

class Verification {
  readonly statement: Logged;
  readonly after?: Checkpoint;
  afterMet?: Met;
  private readonly grants: Logged[];
  private readonly registration: Logged;

  constructor(r: Receipt, private readonly o: Options, private readonly heads: Heads) {
    this.statement = parseLogged({ part: "statement", n: 0 }, r);
    this.grants = r.grants.map((g, i) => parseLogged({ part: "grant", n: i + 1 }, g));
    if (this.statement.statement.kind === "registration") {
      if (r.registration || r.grants.length > 0) throw new Failure("parts", "grantsWithRegistration");
      this.registration = this.statement;
    } else {
      if (!r.registration) throw new Failure("parts", "registrationMissing");
      this.registration = parseLogged({ part: "registration", n: 0 }, r.registration);
    }
    if (r.after) {
      try {
        this.after = parseCheckpoint(r.after);
      } catch (e) {
        if (e instanceof FormatError) throw new Failure("parts", "afterForm", { detail: e.message });
        throw e;
      }
    }
  }

  get all(): Logged[] {
    const { statement, grants, registration } = this;
    return registration === statement ? [statement, ...grants] : [statement, ...grants, registration];
  }

  /** Each is signed as the visitor's policy asks; all are of one log that never showed two roots at one size. */
  checkpoints(renewed: Seconds | undefined): void {
    const roots = new Map<bigint, Uint8Array>();
    const check = (head: Checkpoint, what: Record<string, string>): Met | undefined => {
      const met = this.heads.meet(head, what, renewed);
      if (head.origin !== this.statement.head.origin) throw new Failure("checkpoints", "otherLog", what);
      const root = roots.get(head.size);
      if (root && !equal(root, head.root)) throw new Failure("checkpoints", "twoRoots", { ...what, size: head.size });
      roots.set(head.size, head.root);
      return met;
    };
    for (const l of this.all) {
      const met = check(l.head, whatValues(l.what));
      if (met) l.met = met;
    }
    const met = this.after && check(this.after, { part: "after", n: "" });
    if (met) this.afterMet = met;
  }

  /** Each entry names its statement, its stream id recomputes, and together they can be of one log. */
  entries(): void {
    for (const l of this.all) {
      const { statement: s, entry } = l;
      if (entry.statement !== s.id) throw new Failure("entry", "notCommitted", whatValues(l.what));
      if (s.log !== l.head.origin) throw new Failure("entry", "madeForOtherLog", whatValues(l.what));
      const streams = s.kind === "registration" ? registrationStreams(s).map((r) => r.id) : [s.streamId];
      if (!streams.includes(entry.stream)) throw new Failure("entry", "otherStream", whatValues(l.what));
    }
    const order = this.all.sort((a, b) => (a.entry.index < b.entry.index ? -1 : a.entry.index > b.entry.index ? 1 : 0));
    order.slice(1).forEach((b, i) => {
      const x = order[i]!.entry, y = b.entry;
      if (x.index === y.index) throw new Failure("entry", "sameEntry", { index: x.index });
      if (x.batch > y.batch || x.time > y.time || (x.batch === y.batch && x.time !== y.time)) throw new Failure("entry", "backwards", { from: x.index, to: y.index });
    });
  }

  /** The registration, the grants, and that the statement's key was in force and signed it. */
  authority(): Believed & Pick<Verdict, "grant" | "enroller" | "enrolledAt"> {
    const reg = this.registration;
    if (reg.statement.kind !== "registration") throw new Failure("registration", "notARegistration");
    const shown = believe(reg.statement, reg.entry, this.o, reg === this.statement);
    const a = refused("registration", { badSignature: "registrationUnsigned", aheadOfLog: "registrationAhead" }, "registrationNoRoot", {}, () => new Authority(reg.statement, reg.entry.index));
    for (const g of [...this.grants].sort((x, y) => (x.entry.index < y.entry.index ? -1 : 1))) this.addGrant(a, g);
    const grant = this.checkSigner(a);
    const by = [reg, ...this.grants].find((l) => l.statement.id === grant.statement)!;
    return { ...shown, grant, enroller: by.statement.keyName, enrolledAt: by.entry.time };
  }

  private addGrant(a: Authority, l: Logged): void {
    const what = whatValues(l.what);
    if (l.statement.kind !== "enrolment" && l.statement.kind !== "succession") throw new Failure("authority", "grantsNothing", what);
    refused("authority", { badSignature: "grantUnsigned", notInForce: "grantNotInForce", mayNotGrant: "mayNotGrant" }, "grantNoEffect", what, () => a.add(l.statement, l.entry.index, l.entry.time));
  }

  private checkSigner(a: Authority): Grant {
    const { statement: s, entry } = this.statement;
    let g: Grant;
    try {
      g = a.check(s, entry.index, entry.time);
    } catch (e) {
      if (!(e instanceof Refusal)) throw e;
      const [step, code] = ({ notInForce: ["authority", "notInForce"], badSignature: ["signature", "unsigned"], aheadOfLog: ["after", "aheadOfLog"], wrongPerson: ["signature", "wrongPerson"] } as Record<string, [Step, string]>)[e.code]!;
      throw new Failure(step, code, { index: entry.index });
    }
    if (s.keys.length > 0 && !mayGrant(g.role)) throw new Failure("authority", "roleMayNotGrant");
    if (s.keys.length > 0 && s.kind !== "registration" && entry.stream !== a.trialStream) throw new Failure("authority", "grantElsewhere");
    if (s.kind === "enrolment") this.addGrant(a, this.statement);
    this.checkGrants(g);
    return g;
  }

  /** The signing key's own grant stands first, and nothing that the verdict does not rest on; beside what ends a key, that key's grant may stand. */
  private checkGrants(g: Grant): void {
    const chain = chainOf(g);
    if (chain.size > 0 && this.grants[0]!.statement.id !== g.statement) throw new Failure("authority", "otherGrantFirst");
    const { kind } = this.statement.statement;
    if (keysOf(kind) === 1 && kind !== "enrolment") return;
    for (const l of this.grants) if (!chain.has(l.statement.id)) throw new Failure("authority", "idleGrant", whatValues(l.what));
  }

  /** The checkpoint that the statement names is there, byte for byte. */
  checkAfter(): void {
    const named = this.statement.statement.after;
    if (!named && !this.after) return;
    if (!named) throw new Failure("after", "afterUnasked");
    if (!this.after) throw new Failure("after", "afterMissing");
    if (named.size !== this.after.size || !equal(named.hash, sha256(this.after.bytes))) throw new Failure("after", "afterOther");
  }
}

/** Turns a Refusal into a Failure of that step. */
function refused<T>(step: Step, codes: Record<string, string>, otherwise: string, values: Record<string, string>, f: () => T): T {
  try {
    return f();
  } catch (e) {
    if (e instanceof Refusal) throw new Failure(step, codes[e.code] ?? otherwise, values);
    throw e;
  }
}
