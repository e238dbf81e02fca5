// Why something failed, in the visitor's words.

import type { Failure } from "../evidence/failure.ts";
import { compose, outside } from "./dom.ts";
import type { Words } from "./words.ts";

export function reasonOf(w: Words, f: Failure): DocumentFragment {
  const { code, values } = f.reason;
  const shown: Record<string, Node> = {};
  for (const [name, value] of Object.entries(values)) {
    if (name === "part") shown[name] = document.createTextNode(w.of("part", value, { n: Number(values["n"] || 1) }));
    else shown[name] = /^[0-9]+$/.test(value) ? document.createTextNode(w.number(BigInt(value))) : outside(value);
  }
  const names = Object.fromEntries(Object.keys(values).map((k) => [k, `{${k}}`]));
  return compose(w.of("why", code, names), shown);
}
