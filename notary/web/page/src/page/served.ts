// What a service says of itself where it serves this page; a copy of the page, on a
// stick or in a kit, has none of it.

import { decode } from "../format/text.ts";
import { parseBase64 } from "../format/value.ts";
import { parseTrust } from "../format/trust.ts";
import type { Waiting } from "./trust_panel.ts";

/** The service's own trust file: to be compared and accepted, not believed. */
export function servedTrust(): Waiting | undefined {
  const said = document.getElementById("served")?.dataset["trust"];
  if (said === undefined) return undefined;
  try {
    const bytes = parseBase64(said);
    decode(bytes);
    return { name: "log.trust", trust: parseTrust(bytes), from: "served" };
  } catch {
    return undefined; // nothing rests on it
  }
}
