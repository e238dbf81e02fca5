// The rows that receipts and histories share: times, trust, what was checked.

import type { Step } from "../evidence/failure.ts";
import type { Belief } from "./check.ts";
import { type Child, h, outside } from "./dom.ts";
import type { Key } from "../words/en.ts";
import type { Words } from "./words.ts";

/** A row of a sheet: its name, then one or more lines. */
export function detail(name: string, ...lines: Child[]): HTMLElement {
  return h("div", { class: "row" }, h("dt", {}, name), ...lines.filter((l) => l !== undefined && l !== false).map((l) => h("dd", {}, l)));
}

export const row = (w: Words, name: Key, ...lines: Child[]): HTMLElement => detail(w.t(name), ...lines);

/** A time in UTC, and where the visitor is. */
export function moment(w: Words, seconds: number): HTMLElement {
  const local = w.local(seconds);
  const utc = h("time", { datetime: new Date(seconds * 1000).toISOString() }, w.utc(seconds));
  return h("span", {}, utc, local !== undefined && h("span", { class: "local" }, ` (${w.t("when.local", { time: local })})`));
}

export function trustLine(w: Words, b: Belief): HTMLElement {
  if (!b.trust) return h("span", {}, w.t("trust.howNone"));
  const how = w.t(b.how === "accepted" ? "trust.howAccepted" : "trust.howArrived");
  return h("span", {}, outside(b.name), `, ${how} `, fingerprint(b.trust.fingerprint));
}

export const fingerprint = (f: string): HTMLElement => h("span", { class: "fingerprint" }, f);

/** The steps in their order, up to the one that failed. */
export function steps(w: Words, all: readonly Step[], failed: Step | undefined, unsigned: boolean): HTMLElement {
  const at = failed === undefined ? all.length : all.indexOf(failed);
  const items = all.map((s, i) => {
    const state = i === at ? "bad" : i > at ? "unreached" : unsigned && (s === "checkpoints" || s === "auditors") ? "skipped" : "ok";
    return h("li", { class: state }, h("span", {}, w.of("check", s)), " — ", h("strong", {}, w.t(`check.${state}`)));
  });
  return h("details", { open: failed !== undefined }, h("summary", {}, w.t("checks.title")), h("ol", { class: "checks" }, ...items));
}

/** A box of plain sentences under a title. */
export function box(title: string, ...sentences: string[]): HTMLElement {
  return h("section", { class: "box" }, h("h3", {}, title), ...sentences.map((s) => h("p", {}, s)));
}
