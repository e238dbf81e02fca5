// Why bytes at hand are not those that were sealed. What is called proved is proved by
// a digest; all else is what it looks like.

import type { File as Sealed } from "../format/manifest.ts";

export type Cause = "as-sealed" | "rewritten" | "same-data" | "longer" | "other-data" | "unreadable" | "cut-off" | "zip" | "unknown";

/** What happened to a text, from what was sealed to what is at hand. */
export type Change = "crlf" | "lf" | "bom-added" | "bom-removed" | "newline-added" | "newline-removed" | "unicode-composed" | "unicode-decomposed";

export interface Finding {
  readonly cause: Cause;
  readonly changes: Change[]; // of rewritten
  readonly binary: boolean; // it is no text: a change of line ends damaged it
  readonly profile: string; // of same-data, other-data, unreadable
  readonly more: number; // bytes, of longer
}

/** Whether it is shown that what is at hand says the same as what was sealed. */
export const saysTheSame = (f: Finding): boolean => f.cause === "as-sealed" || f.cause === "same-data" || (f.cause === "rewritten" && !f.binary);

/** Of a sealed file, what an explanation needs. */
export interface Line {
  readonly size: number;
  readonly sha256: string;
  readonly sha512: string;
  readonly content?: { profile: string; sha256: string } | undefined;
}

export const lineOf = (s: Sealed): Line => ({ size: Number(s.size), sha256: s.sha256, sha512: s.sha512, content: s.content });
