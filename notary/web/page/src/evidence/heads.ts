// Checkpoints under the visitor's trust file. Statements sealed together share one,
// and it has several signatures: what was judged once is not judged again.

import type { Checkpoint } from "../format/checkpoint.ts";
import type { Algorithm } from "../format/key.ts";
import { type Met, Unmet, verifyPolicy } from "../format/quorum.ts";
import { type Trust, isAccepted } from "../format/trust.ts";
import { type Seconds, hex, sha256 } from "../format/value.ts";
import { Failure } from "./failure.ts";

export class Heads {
  private readonly seen = new Map<string, Met | Unmet>();

  constructor(private readonly trust: Trust | undefined, private readonly now: Seconds) {}

  /** How the head meets the policy, at the witnessed time, else when it was renewed, else now; undefined without a trust file. Throws a Failure. */
  meet(head: Checkpoint, what: Record<string, string>, renewed: Seconds | undefined = undefined): Met | undefined {
    if (!this.trust) return undefined;
    const key = `${hex(sha256(head.bytes))} ${renewed}`;
    const accepts = (a: Algorithm, at: Seconds | undefined): boolean => this.accepts(a, at ?? renewed);
    let met = this.seen.get(key);
    try {
      met ??= verifyPolicy(this.trust.policy, head, accepts);
    } catch (e) {
      if (!(e instanceof Unmet)) throw e;
      met = e;
    }
    this.seen.set(key, met);
    if (met instanceof Unmet) throw new Failure("checkpoints", met.code, { ...what, name: met.name });
    // Of the log's tree, and of the statements.
    for (const a of ["sha-256", "ed25519"] as const) {
      if (!accepts(a, met.noLaterThan)) throw new Failure("checkpoints", "algorithm", { ...what, name: a });
    }
    return met;
  }

  /** At the witnessed time, else now. */
  readonly accepts = (a: Algorithm, at: Seconds | undefined): boolean => !this.trust || isAccepted(this.trust, a, at ?? this.now);
}
