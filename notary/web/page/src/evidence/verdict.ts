// What a verified receipt shows. Every field rests on signatures that verified, but
// for the log's where no trust file was given, and for what is called a claim.

import type { Entry } from "../format/entry.ts";
import type { Met } from "../format/quorum.ts";
import type { Statement } from "../format/statement.ts";
import type { Trust } from "../format/trust.ts";
import type { Seconds } from "../format/value.ts";
import type { Believed } from "./believe.ts";
import type { Grant } from "./authority.ts";
import type { TimestampVerdict } from "./timestamp.ts";

/** What the visitor brings. */
export interface Options {
  readonly trust?: Trust | undefined; // absent: no log signature is checked
  readonly confirmed: boolean; // the trust file is the visitor's own
  readonly trial?: string | undefined; // fingerprint that pins the registration
  readonly now: Seconds;
}

export interface Verdict extends Believed {
  readonly statement: Statement;
  readonly entry: Entry; // its time is the log's clock: a claim
  readonly grant: Grant;
  readonly enroller: string; // name of the key that granted it
  readonly enrolledAt: Seconds; // the log's clock: a claim
  readonly confirmed: boolean;
  readonly unsigned: boolean; // no trust file
  readonly origin: string;
  readonly finalSize: bigint;
  readonly met?: Met | undefined;
  readonly after?: { readonly size: bigint; readonly notBefore?: Seconds | undefined; readonly met?: Met | undefined } | undefined;
  readonly timestamps: TimestampVerdict[];
  readonly renewals: TimestampVerdict[]; // each over the receipt before it
  /** The earliest timestamp's time, or else the witnesses', or else the earliest renewal's. */
  readonly noLaterThan?: { readonly at: Seconds; readonly by: "tsa" | "witnesses"; readonly name: string } | undefined;
}

/** Whether a is shown to come before b; otherwise they may have been sealed together. */
export function isBefore(a: Verdict, b: Verdict): boolean {
  return (a.origin === b.origin && a.finalSize <= b.entry.index) || b.statement.supersedes === a.statement.id || b.statement.about.includes(a.statement.id);
}
