// Verifies a history: completeness evidence for a trial as of one batch.

import type { Batch, Entry } from "../format/entry.ts";
import { type Key, isTimed, timeOf, verifyHead } from "../format/key.ts";
import type { Met } from "../format/quorum.ts";
import { type Statement, parseStatement, registrationStreams } from "../format/statement.ts";
import { FormatError } from "../format/text.ts";
import { isIncluded } from "../format/tree.ts";
import { type Seconds, fingerprint, fromHex, hex, parseFingerprint, sha256 } from "../format/value.ts";
import { signedWith } from "../format/note.ts";
import { Authority, type Grant, Refusal } from "./authority.ts";
import { type Believed, believe } from "./believe.ts";
import { checkComplete } from "./complete.ts";
import { Failure } from "./failure.ts";
import { Heads } from "./heads.ts";
import { type HistoryRead, readHistory } from "./history.ts";
import type { Options } from "./verdict.ts";

/**
 * What is known of one entry: closed (counted, not shown), valid, invalid (no key in
 * force made it), undecided (a grant that is not shown could let it stand), or a
 * registration other than the trial's.
 */
export type State = "closed" | "valid" | "invalid" | "undecided" | "rival";

export interface Item {
  readonly entry: Entry;
  readonly stream: StreamVerdict;
  state: State;
  statement?: Statement;
  grant?: Grant;
  why?: string; // code of the catalogue, of invalid and undecided
}

export interface StreamVerdict {
  readonly id: string;
  role: "registration" | "trial" | "granted" | "unnamed";
  name?: string | undefined;
  trial?: string;
  readonly items: Item[];
}

export interface HistoryVerdict {
  readonly batch: Batch;
  readonly origin: string;
  readonly finalSize: bigint;
  readonly met?: Met | undefined;
  readonly auditors: { name: string; at?: Seconds }[]; // of the trust file, who vouch for the map
  readonly confirmed: boolean;
  readonly unsigned: boolean;
  readonly believed?: Believed | undefined; // absent: no registration is shown
  readonly rivals: Item[];
  readonly streams: StreamVerdict[];
  readonly missing: { name: string; trial: string }[]; // streams that registration and grants name
  readonly wholeTrial: boolean;
}

/** Verifies a history's bytes; throws a Failure where it is NOT VERIFIED. */
export async function verifyHistory(bytes: Uint8Array, o: Options): Promise<HistoryVerdict> {
  const h = readHistory(bytes);
  const head = h.proof.checkpoint;
  const met = new Heads(o.trust, o.now).meet(head, { part: "batch", n: "" });
  if (h.batch.index !== h.proof.index) throw new Failure("inclusion", "indexDiffers", { part: "batch", n: "", entry: h.batch.index, proof: h.proof.index });
  if (!isIncluded(h.batchLeaf, h.proof.index, head.size, h.proof.hashes, head.root)) throw new Failure("inclusion", "notInLog", { part: "batch", n: "" });
  const auditors = checkAuditors(h, o, met);
  checkComplete(h);
  const streams = open(h);
  const believed = chooseRegistration(streams, o, head.origin);
  const judged = believed ? await judge(streams, believed.item, head.origin) : unjudged(streams);
  if (believed) checkOrder(streams, believed.item.statement!);
  return {
    batch: h.batch, origin: head.origin, finalSize: head.size, met, auditors, confirmed: o.trust !== undefined && o.confirmed, unsigned: o.trust === undefined,
    believed: believed?.believed, streams, ...judged,
  };
}

/** Who of the trust file's auditors signed the checkpoint; other keys count for nothing. */
function checkAuditors(h: HistoryRead, o: Options, met: Met | undefined): { name: string; at?: Seconds }[] {
  const found = new Map<Key, { name: string; at?: Seconds }>();
  const heads = new Heads(o.trust, o.now);
  h.auditors.forEach((checkpoint, i) => {
    const c = checkpoint();
    if (c.text !== h.proof.checkpoint.text) throw new Failure("auditors", "otherCheckpoint", { n: i + 1 });
    for (const k of o.trust?.auditors ?? []) {
      const line = c.lines.find((l) => l.name === k.name && l.id === k.id);
      if (!line) continue;
      if (!verifyHead(k, c, line.signature)) throw new Failure("auditors", "auditorSignature", { n: i + 1, name: k.name });
      if (!heads.accepts(k.type === 0x06 ? "ml-dsa-44" : "ed25519", met?.noLaterThan)) continue;
      const at = isTimed(k.type) ? Number(timeOf(line.signature)) : 0;
      found.set(k, at > 0 ? { name: k.name, at } : { name: k.name });
    }
  });
  return [...found.values()];
}

/** Opens the statements that are here; each is the one that its entry names. */
function open(h: HistoryRead): StreamVerdict[] {
  return h.streams.map((s) => {
    const stream: StreamVerdict = { id: s.proof.stream, role: "unnamed", items: [] };
    for (const entry of s.entries) stream.items.push({ entry, stream, state: "closed" });
    for (const [seq, note] of s.statements) {
      const item = stream.items[Number(seq) - 1];
      if (!item) throw new Failure("statements", "statementOfNoEntry", { n: s.n, seq });
      if (hex(sha256(note)) !== item.entry.statement) throw new Failure("statements", "otherStatement", { n: s.n, seq });
      try {
        item.statement = parseStatement(note);
      } catch (e) {
        // A site may have had anything sealed unseen: it is shown as what it is.
        if (!(e instanceof FormatError)) throw e;
        item.state = "invalid";
        item.why = "noStatement";
      }
    }
    return stream;
  });
}

function chooseRegistration(streams: StreamVerdict[], o: Options, origin: string): { item: Item; believed: Believed } | undefined {
  const registrations = streams.flatMap((s) => s.items).filter((i) => i.statement?.kind === "registration");
  let item = streams[0]?.items[0];
  if (o.trial !== undefined) {
    item = registrations.find((i) => i.statement!.streamId === i.entry.stream && fingerprint(fromHex(i.entry.statement)) === parseFingerprint(o.trial!));
    if (!item) throw new Failure("registration", "otherTrial", { is: "", want: o.trial });
  }
  const s = item?.statement;
  if (!item || !s || s.kind !== "registration") return undefined;
  if (s.log !== origin) throw new Failure("registration", "madeForOtherLog", { part: "registration", n: "" });
  if (!registrationStreams(s).some((r) => r.id === item.entry.stream)) throw new Failure("registration", "otherStream", { part: "registration", n: "" });
  return { item, believed: believe(s, item.entry, o, false) };
}

/** The registration stream, those of the other ids, the trial stream, then the others by name. */
function checkOrder(streams: StreamVerdict[], registration: Statement): void {
  const ids = registrationStreams(registration).map((r) => r.id);
  const place = (s: StreamVerdict): [number, string] => (ids.includes(s.id) ? [ids.indexOf(s.id) - ids.length, ""] : s.role === "trial" ? [0, ""] : [1, s.name ?? ""]);
  streams.slice(1).forEach((b, i) => {
    const [x, named] = place(streams[i]!), [y, name] = place(b);
    if (x > y || (x === y && x === 1 && named !== "" && name !== "" && named > name)) throw new Failure("container", "streamOrder", { n: i + 2 });
  });
}

/** Without a registration nothing says by whose right the statements were made. */
function unjudged(streams: StreamVerdict[]): Pick<HistoryVerdict, "missing" | "rivals" | "wholeTrial"> {
  for (const i of streams.flatMap((s) => s.items)) if (i.statement) [i.state, i.why] = ["undecided", "noRegistration"];
  return { missing: [], rivals: [], wholeTrial: false };
}

/** Replays the grants and says of every opened statement whether a key in force made it. */
async function judge(streams: StreamVerdict[], reg: Item, origin: string): Promise<Pick<HistoryVerdict, "missing" | "rivals" | "wholeTrial">> {
  const registration = reg.statement!;
  let authority: Authority;
  try {
    authority = new Authority(registration, reg.entry.index);
  } catch (e) {
    if (e instanceof Refusal) throw new Failure("registration", e.code === "badSignature" ? "registrationUnsigned" : "registrationNoRoot");
    throw e;
  }
  const ids = registrationStreams(registration);
  const grants = streams.find((s) => s.id === authority.trialStream);
  let shut: Item | undefined; // the first grant that is closed
  const bound = new Map<string, bigint>([["trial", 0n]]); // where a stream's name was first granted
  /** Whether no closed grant can have given the name to another stream before the one shown did. */
  const isFirm = (name: string): boolean => !shut || (bound.get(name) ?? shut.entry.index) < shut.entry.index;
  /** Whether a grant that is closed or not here could be what i lacks: to its key, to its signer, or to another key of the same name and id. */
  const mayRest = (i: Item, code: string): boolean => {
    const s = i.statement!, named = authority.streamNamed(s.stream);
    if (!["notInForce", "badSignature", "wrongPerson"].includes(code) || s.log !== origin || s.trial !== registration.trial || s.streamId !== i.entry.stream || s.kind === "registration") return false;
    if (named !== undefined && named !== i.entry.stream && isFirm(s.stream)) return false;
    return !grants || (shut !== undefined && shut.entry.index < i.entry.index);
  };
  const refuse = (i: Item, e: unknown): void => {
    if (!(e instanceof Refusal)) throw e;
    i.state = mayRest(i, e.code) ? "undecided" : "invalid";
    i.why = e.code;
  };
  for (const i of grants?.items ?? []) {
    if (!i.statement) {
      if (i.state === "closed") shut ??= i;
      continue;
    }
    try {
      authority.add(i.statement, i.entry.index, i.entry.time);
      for (const k of i.statement.keys) if (!bound.has(k.stream)) bound.set(k.stream, i.entry.index);
    } catch (e) {
      refuse(i, e);
    }
  }
  const rivals: Item[] = [];
  const granted = authority.streams;
  for (const s of streams) {
    const named = granted.find((g) => g.id === s.id), own = ids.find((r) => r.id === s.id);
    s.role = own ? "registration" : s === grants ? "trial" : named ? "granted" : "unnamed";
    s.name = own ? "registration" : (named?.name ?? s.items.find((i) => i.statement?.streamId === s.id)?.statement?.stream);
    s.trial = own?.trial ?? registration.trial;
    let n = 0;
    for (const i of s.items) {
      if (!i.statement || i.state !== "closed") continue;
      if (++n % 50 === 0) await new Promise((r) => setTimeout(r)); // the page stays alive
      if (s.role === "registration") judgeRegistration(i, registration, origin, rivals);
      else if (i.statement.streamId !== i.entry.stream) [i.state, i.why] = ["invalid", "wrongStream"];
      else {
        try {
          i.grant = authority.check(i.statement, i.entry.index, i.entry.time);
          i.state = "valid";
        } catch (e) {
          refuse(i, e);
        }
      }
    }
  }
  const missing = [
    ...ids.filter((r) => !streams.some((s) => s.id === r.id)).map((r) => ({ name: "registration", trial: r.trial })),
    ...granted.filter((g) => !streams.some((s) => s.id === g.id)).map((g) => ({ name: g.name, trial: registration.trial })),
  ];
  return { missing, rivals, wholeTrial: missing.length === 0 && grants !== undefined && !grants.items.some((i) => i.state === "closed") };
}

function judgeRegistration(i: Item, registration: Statement, origin: string, rivals: Item[]): void {
  const s = i.statement!;
  if (s.kind !== "registration" || s.log !== origin || !registrationStreams(s).some((r) => r.id === i.entry.stream)) [i.state, i.why] = ["invalid", "wrongStream"];
  else if (!signedWith(s, s.keys[0]!.key)) [i.state, i.why] = ["invalid", "badSignature"];
  else if (s.id === registration.id) i.state = "valid";
  else {
    i.state = "rival";
    rivals.push(i);
  }
}
