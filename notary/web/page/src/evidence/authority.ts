// The keys of one trial, from one registration and the statements of its trial
// stream in index order: who may sign which entry (section Authority).

import { type KeyLine, type Statement, registrationStreams } from "../format/statement.ts";
import type { Key } from "../format/key.ts";
import { keysOf, mayGrant } from "../format/kind.ts";
import { signedWith } from "../format/note.ts";
import type { Seconds } from "../format/value.ts";

/** One key's permission to sign in one stream, from the entry after its own on. */
export interface Grant {
  readonly role: string;
  readonly stream: string;
  readonly streamId: string;
  readonly key: Key;
  readonly statement: string; // that granted it
  readonly index: bigint;
  readonly person?: string | undefined;
  readonly until?: Seconds | undefined;
  readonly by?: Grant; // of the key that signed that statement; absent: the registration
  readonly replaces?: Grant; // the grant that a succession ended
}

/** Why a statement may not stand, or has no effect; the codes are the catalogue's. */
export class Refusal extends Error {
  constructor(readonly code: "notInForce" | "badSignature" | "wrongPerson" | "aheadOfLog" | "mayNotGrant" | "noEffect" | "wrongStream" | "revokedForEver" | "nothingToSucceed") {
    super(code);
  }
}

export class Authority {
  private readonly grants: Grant[] = []; // in index order
  private readonly ended = new Map<Grant, bigint>(); // index of the first succession of it
  private readonly revoked = new Map<string, bigint>(); // key and stream → index of the first revocation
  private readonly idOf = new Map<string, string>(); // stream name → id
  private readonly nameOf = new Map<string, string>(); // and back
  private last: bigint;

  /** Throws a Refusal unless the registration is signed by the sponsor key it names. */
  constructor(readonly registration: Statement, index: bigint) {
    const sponsor = registration.keys[0]!;
    if (!signedWith(registration, sponsor.key)) throw new Refusal("badSignature");
    checkAfter(registration, index);
    this.last = index;
    for (const r of registrationStreams(registration)) this.nameOf.set(r.id, "registration");
    if (this.nameOf.has(sponsor.streamId)) throw new Refusal("wrongStream");
    for (const k of registration.keys) this.grant({ ...k, statement: registration.id, index });
  }

  private grant(g: Grant): void {
    this.grants.push(g);
    this.idOf.set(g.stream, g.streamId);
    this.nameOf.set(g.streamId, g.stream);
  }

  get trialStream(): string {
    return this.idOf.get("trial")!;
  }

  /** The id that a stream's name stands for, by its first grant. */
  streamNamed(name: string): string | undefined {
    return this.idOf.get(name);
  }

  /** The streams that grants name, each with its id, in the order of their first grants. */
  get streams(): { name: string; id: string }[] {
    return [...this.idOf].map(([name, id]) => ({ name, id }));
  }

  /** Takes the next statement of the trial stream; what grants or ends keys takes effect or throws a Refusal. */
  add(s: Statement, index: bigint, batch: Seconds): void {
    if (index <= this.last) throw new Refusal("noEffect");
    if (s.log !== this.registration.log || s.trial !== this.registration.trial || s.streamId !== this.trialStream) throw new Refusal("wrongStream");
    if (keysOf(s.kind) === 1) {
      const by = this.signers(s, index, batch).find((g) => mayGrant(g.role) && isPersons(s, g));
      if (!by) {
        this.check(s, index, batch); // throws where the signature or the person is wrong
        throw new Refusal("mayNotGrant");
      }
      this.check(s, index, batch);
      this.apply(s, index, by);
    }
    this.last = index;
  }

  private apply(s: Statement, index: bigint, by: Grant): void {
    const k = s.keys[0]!;
    this.checkStream(k);
    const place = `${k.key.text} ${k.streamId}`;
    if (s.kind === "revocation") {
      // The first one counts; it needs no earlier grant, for the key cannot come at all.
      if (!this.revoked.has(place)) this.revoked.set(place, index);
      return;
    }
    if (this.revoked.has(place)) throw new Refusal("revokedForEver");
    if (this.grants.some((g) => g.statement === s.id)) throw new Refusal("noEffect");
    if (s.kind === "enrolment") {
      this.grant({ ...k, statement: s.id, index, person: s.person, until: s.until, by });
      return;
    }
    // A registration granted two keys, told apart by their roles.
    const old = this.grants.find((g) => g.statement === s.about[0] && g.role === k.role);
    if (!old || old.stream !== k.stream || old.streamId !== k.streamId) throw new Refusal("nothingToSucceed");
    if (!this.ended.has(old)) this.ended.set(old, index);
    this.grant({ ...k, statement: s.id, index, person: old.person, until: old.until, by, replaces: old });
  }

  /** A name has one stream id for the trial, and a stream one name. */
  private checkStream(k: KeyLine): void {
    const id = this.idOf.get(k.stream), name = this.nameOf.get(k.streamId);
    if (k.stream === "registration" || (id !== undefined && id !== k.streamId) || (name !== undefined && name !== k.stream)) throw new Refusal("wrongStream");
  }

  /** The grants in force that name the key of s in its stream, whoever signed it. */
  private inForce(s: Statement, index: bigint, batch: Seconds): Grant[] {
    return this.grants.filter((g) => {
      if (g.streamId !== s.streamId || g.key.name !== s.keyName || g.key.id !== s.keyId) return false;
      const revoked = this.revoked.get(`${g.key.text} ${g.streamId}`), ended = this.ended.get(g);
      return g.index < index && !(revoked !== undefined && revoked < index) && !(ended !== undefined && ended < index) && !(g.until !== undefined && batch > g.until);
    });
  }

  /** Those of them whose key made the signature. */
  private signers(s: Statement, index: bigint, batch: Seconds): Grant[] {
    const verdicts = new Map<string, boolean>();
    return this.inForce(s, index, batch).filter((g) => {
      let good = verdicts.get(g.key.text);
      if (good === undefined) verdicts.set(g.key.text, (good = signedWith(s, g.key)));
      return good;
    });
  }

  /**
   * The grant that lets s stand at that index: the oldest that suffices. Throws a
   * Refusal where its key is not in force, its signature is wrong, its signer is
   * not the person of the key, or its `after` is ahead of the log.
   */
  check(s: Statement, index: bigint, batch: Seconds): Grant {
    if (s.log !== this.registration.log || s.trial !== this.registration.trial) throw new Refusal("notInForce");
    if (s.kind === "registration") {
      if (s.id !== this.registration.id) throw new Refusal("notInForce");
      return this.grants[0]!;
    }
    if (this.nameOf.get(s.streamId) !== s.stream || this.inForce(s, index, batch).length === 0) throw new Refusal("notInForce");
    const signers = this.signers(s, index, batch);
    if (signers.length === 0) throw new Refusal("badSignature");
    const g = signers.find((g) => isPersons(s, g));
    if (!g) throw new Refusal("wrongPerson");
    checkAfter(s, index);
    return g;
  }
}

const isPersons = (s: Statement, g: Grant): boolean => s.signer === undefined || g.person === undefined || s.signer === g.person;

/** The log that a statement was signed after is not larger than its index. */
function checkAfter(s: Statement, index: bigint): void {
  if (s.after && s.after.size > index) throw new Refusal("aheadOfLog");
}

/** The statements, besides the registration, that show how g came about. */
export function chainOf(g: Grant): Set<string> {
  const chain = new Set<string>();
  const climb = (g: Grant | undefined): void => {
    if (!g || !g.by || chain.has(g.statement)) return; // a grant without `by` is the registration's
    chain.add(g.statement);
    climb(g.by);
    climb(g.replaces);
  };
  climb(g);
  return chain;
}
