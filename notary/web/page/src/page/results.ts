// Every result: one sheet alone; of several receipts first a table in log order.

import { isBefore } from "../evidence/verdict.ts";
import { type CheckedReceipt, type Result, wordOf } from "./check.ts";
import { h, outside } from "./dom.ts";
import { historySheet } from "./history_sheet.ts";
import { receiptSheet } from "./receipt_sheet.ts";
import type { Words } from "./words.ts";

const mostSheets = 200;

export function results(w: Words, r: Result): HTMLElement[] {
  const out: HTMLElement[] = [];
  if (r.receipts.length + r.histories.length > 0) {
    out.push(h("div", { class: "actions noprint" }, h("button", { type: "button", class: "quiet", onclick: () => window.print() }, w.t("print.button"))));
  }
  if (r.receipts.length > 1) out.push(overview(w, r.receipts));
  const several = r.receipts.length > 1;
  r.receipts.slice(0, mostSheets).forEach((c, i) => {
    const sheet = receiptSheet(w, c);
    sheet.id = `sheet-${i}`;
    out.push(several ? h("details", { class: "fold" }, h("summary", {}, outside(c.evidence.name), " — ", word(w, c)), sheet) : sheet);
  });
  for (const c of r.histories) out.push(historySheet(w, c));
  return out;
}

function word(w: Words, c: CheckedReceipt): HTMLElement {
  const s = wordOf(c);
  return h("strong", { class: s.replace(" ", "-") }, w.t(s === "verified" ? "word.verified" : s === "unconfirmed" ? "word.unconfirmed" : "word.notVerified"));
}

function overview(w: Words, all: CheckedReceipt[]): HTMLElement {
  const columns = [w.t("list.result"), w.t("history.index"), w.t("row.trial"), w.t("row.what"), w.t("row.when"), w.t("list.file")];
  const cell = (i: number, ...c: (Node | string)[]) => h("td", { "data-name": columns[i]! }, ...c);
  const lines = all.map((c, i) => {
    const v = c.verdict, before = all[i - 1]?.verdict;
    const together = v && before && !isBefore(before, v);
    return h("tr", {}, cell(0, word(w, c)), cell(1, v ? w.number(v.entry.index) : "—"), cell(2, v ? outside(v.statement.trial) : "—"),
      cell(3, ...(v ? [w.of("kind", v.statement.kind), " · ", outside(v.statement.stream)] : ["—"]), ...(together ? [h("span", { class: "label" }, ` ${w.t("list.together")}`)] : [])),
      cell(4, v?.noLaterThan ? w.t("when.noLater", { time: w.utc(v.noLaterThan.at) }) : "—"), cell(5, outside(c.evidence.name)));
  });
  return h("section", { class: "overview" }, h("h3", {}, w.t("list.title", { n: all.length })), h("p", { class: "hint" }, w.t("list.order")),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": w.t("list.title", { n: all.length }) },
      h("table", {}, h("thead", {}, h("tr", {}, ...columns.map((c) => h("th", { scope: "col" }, c)))), h("tbody", {}, ...lines))));
}
