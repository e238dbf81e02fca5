// Runs the check of timestamps, which stands packed in the page; that it is the one
// the page was built with, the policy of the page decides by its hash.

import { inflateSync, strFromU8 } from "fflate";
import type { verifyStamps as verify } from "../evidence/timestamp.ts";
import { parseBase64 } from "../format/value.ts";

declare global {
  var trialnotaryTimestamps: { verifyStamps: typeof verify } | undefined;
}

export const verifyStamps: typeof verify = async (s, trust, now) => {
  if (s.timestamps.length + s.renewals.length === 0) return { timestamps: [], renewals: [] };
  if (!globalThis.trialnotaryTimestamps) {
    const packed = document.querySelector<HTMLTemplateElement>("#timestamps")!.content.textContent!;
    const script = document.createElement("script");
    script.textContent = strFromU8(inflateSync(parseBase64(packed)));
    document.head.append(script); // runs at once
  }
  return globalThis.trialnotaryTimestamps!.verifyStamps(s, trust, now);
};
