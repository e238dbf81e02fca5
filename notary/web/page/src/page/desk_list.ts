// What lies on the desk, counted, and what could not be used.

import type { Desk } from "../files/desk.ts";
import { compose, h, outside } from "./dom.ts";
import type { Key } from "../words/en.ts";
import type { Words } from "./words.ts";

export function deskList(w: Words, d: Desk): HTMLElement | undefined {
  const bytes = d.data.reduce((n, g) => n + g.file.size, 0);
  const counts: [Key, number][] = [
    ["desk.receipts", d.receipts.length], ["desk.histories", d.histories.length], ["desk.openings", d.openings.length], ["desk.manifests", d.manifests.length],
    ["desk.trusts", d.trusts.length], ["desk.data", d.data.length], ["desk.unlooked", d.unlooked],
  ];
  const items = counts.filter(([, n]) => n > 0).map(([key, n]) => h("li", {}, w.t(key, { n, bytes: w.size(bytes) })));
  return items.length === 0 ? undefined : h("ul", { class: "chips", "aria-label": w.t("desk.title") }, ...items);
}

export function problemList(w: Words, d: Desk): HTMLElement[] {
  const lines = d.problems.map((p) => h("p", { class: "problem" }, compose(w.of("problem", p.code, { name: "{name}" }), { name: outside(p.name) })));
  const lonely = d.receipts.length + d.histories.length === 0 && d.data.length + d.manifests.length + d.openings.length > 0;
  return lonely ? [...lines, h("p", { class: "problem" }, w.t("desk.noEvidence"))] : lines;
}
