// C2SP tlog-policy of one log: whose signatures make a checkpoint believed. The
// quorum must ask for the log's ML-DSA-44 key, which stands as a witness under the
// log's own name, so that breaking one algorithm is not enough.

import { type Key, ED25519, MLDSA44, P256, isTimed, parseKey } from "./key.ts";
import { FormatError, decode, lineError } from "./text.ts";
import { equal, parseNumber } from "./value.ts";

/** A witness, or a group of which at least so many must hold. */
export interface Member {
  readonly name: string;
  readonly key?: Key; // of a witness
  readonly own?: boolean; // the log's second key
  readonly threshold: number;
  readonly members: Member[]; // of a group
}

export interface Policy {
  readonly log: Key;
  readonly witnesses: Member[]; // in the order of the file, the log's own too
  readonly quorum: Member;
  readonly retired?: Retired[]; // oldest first
}

/** What counted until the log's keys were changed, at that size of the log. */
export interface Retired {
  readonly until: bigint;
  readonly policy: Policy;
}

const maxPolicy = 256 << 10;

export function parsePolicy(b: Uint8Array): Policy {
  if (b.length > maxPolicy) throw new FormatError(`the policy has ${b.length} bytes, at most ${maxPolicy} are allowed`);
  const text = decode(b);
  if (text !== "" && !text.endsWith("\n")) throw new FormatError("the policy does not end with a line feed");
  const p = new Draft();
  text.split("\n").forEach((line, i) => {
    try {
      p.line(line);
    } catch (e) {
      if (e instanceof FormatError) throw lineError(i + 1, `of the policy ${e.message}`);
      throw e;
    }
  });
  return p.finished();
}

class Draft {
  private log: Key | undefined;
  private quorum: Member | undefined;
  private readonly witnesses: (Member & { key: Key })[] = [];
  private readonly names = new Map<string, Member>();
  private readonly taken = new Set<Member>();

  line(line: string): void {
    if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(line)) throw new FormatError("has a control character");
    const f = line.split(/[ \t]+/).filter((w) => w !== "");
    if (f.length === 0 || f[0]!.startsWith("#")) return;
    const [word, a, b] = f as [string, string, string];
    if (word === "log" && (f.length === 2 || f.length === 3)) this.logLine(a);
    else if (word === "witness" && (f.length === 3 || f.length === 4)) this.witnessLine(a, b);
    else if (word === "group" && f.length >= 4) this.groupLine(a, b, f.slice(3));
    else if (word === "quorum" && f.length === 2) this.quorumLine(a);
    else throw new FormatError("is no log, witness, group or quorum line");
  }

  private logLine(key: string): void {
    if (this.log) throw new FormatError("is a second log");
    this.log = parseKey(key);
    if (this.log.type !== ED25519 && this.log.type !== P256) throw new FormatError("has a log key that is not of type 0x01 or 0x02");
  }

  private witnessLine(name: string, text: string): void {
    const key = parseKey(text);
    if (!isTimed(key.type)) throw new FormatError("has a witness key that is not of type 0x04 or 0x06");
    if (this.witnesses.some((w) => equal(w.key.public, key.public) || (w.key.name === key.name && w.key.id === key.id))) {
      throw new FormatError("has the key of another witness");
    }
    const w = { name, key, own: false, threshold: 1, members: [] };
    this.witnesses.push(w);
    this.define(w);
  }

  private groupLine(name: string, threshold: string, members: string[]): void {
    const found = members.map((m) => {
      const d = this.names.get(m);
      if (!d || this.taken.has(d)) throw new FormatError("has a member that is not defined above, or is one of a group already");
      this.taken.add(d);
      return d;
    });
    const n = threshold === "all" ? BigInt(found.length) : threshold === "any" ? 1n : parseNumber(threshold);
    if (n < 1n || n > BigInt(found.length)) throw new FormatError("has a threshold that its members cannot reach, or none");
    this.define({ name, threshold: Number(n), members: found });
  }

  private quorumLine(name: string): void {
    if (this.quorum) throw new FormatError("is a second quorum");
    this.quorum = this.names.get(name);
    if (!this.quorum) throw new FormatError("names a quorum that is not defined above");
  }

  private define(m: Member): void {
    if (m.name === "none" || this.names.has(m.name)) throw new FormatError("defines a name that is reserved or taken");
    this.names.set(m.name, m);
  }

  finished(): Policy {
    const { log, quorum } = this;
    if (!log || !quorum) throw new FormatError("the policy has no log or no quorum");
    for (const w of this.witnesses) {
      if (equal(w.key.public, log.public)) throw new FormatError("a witness of the policy has the log's own key");
      if (w.name !== log.name && w.key.name !== log.name) continue;
      if (w.name !== w.key.name || w.key.type !== MLDSA44) {
        throw new FormatError("under the log's name stands its ML-DSA-44 key alone, and that key under no other");
      }
      (w as { own: boolean }).own = true;
    }
    if (isMet(quorum, (w) => !w.own)) throw new FormatError("the quorum can be met without the log's ML-DSA-44 key");
    return { log, quorum, witnesses: this.witnesses };
  }
}

/** Whether m holds when the witnesses with `has` do. */
export function isMet(m: Member, has: (w: Member) => boolean): boolean {
  if (m.key) return has(m);
  return m.members.filter((c) => isMet(c, has)).length >= m.threshold;
}

/** Every witness at or below m. */
export function witnessesOf(m: Member): Member[] {
  return m.key ? [m] : m.members.flatMap(witnessesOf);
}
