// What a file is, by its first line: names may be anything.

import { receiptVersion } from "../evidence/receipt.ts";
import { historyVersion } from "../evidence/history.ts";
import { manifestVersion } from "../format/manifest.ts";
import { openingVersion } from "../format/opening.ts";
import { trustVersion } from "../format/trust.ts";

export type Kind = "receipt" | "history" | "manifest" | "opening" | "trust" | "zip" | "private" | "unknown" | "data";

const versions: Record<string, Kind> = {
  [receiptVersion]: "receipt", [historyVersion]: "history", [manifestVersion]: "manifest", [openingVersion]: "opening", [trustVersion]: "trust",
  // What no one should hand on: keys, and what holds a trial's salts.
  "trialnotary/key@v1": "private", "trialnotary/trial@v1": "private", "trialnotary/invite@v1": "private", "trialnotary/pending@v1": "private",
};

/** The largest file of ours that is read, zips too. */
export const maxOurs = 256 << 20;

/** Enough of a file to tell what it is. */
export const headBytes = 80;

export function kindOf(name: string, head: Uint8Array): Kind {
  if (head[0] === 0x50 && head[1] === 0x4b && /\.zip$/i.test(name)) return "zip";
  const text = new TextDecoder().decode(head).replace(/^\ufeff/, "");
  const [line] = text.split(/\r?\n/);
  return versions[line!] ?? (line!.startsWith("trialnotary/") ? "unknown" : "data");
}
