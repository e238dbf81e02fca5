// What the code on a certificate holds: "TRIALNOTARY1 <origin> <index> <leaf hash>
// <dataset root>", the hashes in base64, - where the statement has no dataset.

import { leafHash } from "../format/tree.ts";
import { base64 } from "../format/value.ts";
import { parseReceipt } from "./receipt.ts";
import type { Verdict } from "./verdict.ts";

/** The text of the code of a verified receipt, whose file is given. */
export function codeText(v: Verdict, receipt: Uint8Array): string {
  const leaf = base64(leafHash(parseReceipt(receipt).entry)), d = v.statement.dataset;
  return `TRIALNOTARY1 ${v.origin} ${v.entry.index} ${leaf} ${d ? base64(d.root) : "-"}`;
}
