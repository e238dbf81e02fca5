// Which registration is the trial's: the visitor's fingerprint says so; or else it is
// the first of its id, by a listed sponsor where the trust file lists sponsors.

import type { Entry } from "../format/entry.ts";
import { type Statement, registrationStreams } from "../format/statement.ts";
import { fingerprint, fromHex, parseFingerprint } from "../format/value.ts";
import { Failure } from "./failure.ts";
import type { Options } from "./verdict.ts";

export interface Believed {
  readonly registration: Statement;
  readonly trialFingerprint: string;
  readonly registeredAs: string; // the id in whose registration stream it stands
  readonly sponsorListed: boolean;
  readonly pinned: boolean;
}

/** itself: the registration is all that is to be shown, and nothing rests on it. */
export function believe(s: Statement, entry: Entry, o: Options, itself: boolean): Believed {
  const { trust, trial } = o;
  const trialFingerprint = fingerprint(fromHex(s.id));
  const registeredAs = registrationStreams(s).find((r) => r.id === entry.stream)!.trial;
  const sponsorListed = trust?.sponsors?.some((k) => k.text === s.keys[0]!.key.text) ?? false;
  const believed = { registration: s, trialFingerprint, registeredAs, sponsorListed, pinned: trial !== undefined };
  if (trial !== undefined) {
    if (parseFingerprint(trial) !== trialFingerprint) throw new Failure("registration", "otherTrial", { is: trialFingerprint, want: trial });
    return believed;
  }
  if (entry.seq !== 1n) throw new Failure("registration", "notFirst", { seq: entry.seq });
  // Being first under one of the other ids says nothing about this one.
  if (!itself && registeredAs !== s.trial) throw new Failure("registration", "underOtherId");
  if (trust?.sponsors && !sponsorListed) throw new Failure("registration", "sponsorNotListed");
  return believed;
}

/** Authority rests on being the first registration of its id, and on nothing else. */
export const firstToRegister = (b: Believed): boolean => !b.pinned && !b.sponsorListed;
