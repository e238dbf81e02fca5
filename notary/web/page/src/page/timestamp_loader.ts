// Runs the check of timestamps, which stands packed in the page; that it is the one
// the page was built with, the policy of the page decides by its hash.

import { inflateSync, strFromU8 } from "fflate";
import type { verifyTimestamps as verify } from "../evidence/timestamp.ts";
import { parseBase64 } from "../format/value.ts";

declare global {
  var trialnotaryTimestamps: { verifyTimestamps: typeof verify } | undefined;
}

export const verifyTimestamps: typeof verify = async (tokens, bytes, trust) => {
  if (tokens.length === 0) return [];
  if (!globalThis.trialnotaryTimestamps) {
    const packed = document.querySelector<HTMLTemplateElement>("#timestamps")!.content.textContent!;
    const script = document.createElement("script");
    script.textContent = strFromU8(inflateSync(parseBase64(packed)));
    document.head.append(script); // runs at once
  }
  return globalThis.trialnotaryTimestamps!.verifyTimestamps(tokens, bytes, trust);
};
