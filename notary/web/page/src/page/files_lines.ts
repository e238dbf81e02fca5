// What is said of the files of a statement.

import { isKnown } from "../content/content.ts";
import { type Finding, saysTheSame } from "../explain/finding.ts";
import type { Dataset } from "../format/statement.ts";
import type { Changed, Comparison } from "../files/compare.ts";
import type { Files } from "./check.ts";
import { type Child, compose, h, outside } from "./dom.ts";
import type { Words } from "./words.ts";

const most = 8; // names in one line

export function filesLines(w: Words, d: Dataset, f: Files): Child[] {
  const sealed = w.t("files.notCompared", { n: d.files, bytes: w.size(d.bytes) });
  if (!f.list) return [sealed, w.t("files.addList")];
  if (!f.compared) return [sealed, w.t("files.addFiles")];
  const c = f.compared;
  return [matchLine(w, d, c, f.list.kind === "opening"), ...c.changed.slice(0, most).map((x) => changedLine(w, x)), c.changed.length > most && w.t("files.andMore", { n: c.changed.length - most }),
    ...c.renamed.slice(0, most).map((r) => compose(w.t("files.renamed", { given: "{given}", sealed: "{sealed}" }), { given: outside(r.given), sealed: outside(r.sealed) })),
    c.missing.length > 0 && !c.partial && h("span", { class: "failed" }, named(w, w.t("files.missing", { n: c.missing.length, names: "{names}" }), c.missing)),
    c.extra.length > 0 && named(w, w.t("files.extra", { n: c.extra.length, names: "{names}" }), c.extra)];
}

function matchLine(w: Words, d: Dataset, c: Comparison, opened: boolean): HTMLElement {
  const matched = c.matched.length + c.renamed.length;
  const notes = [opened ? w.t("files.opened", { n: d.files }) : "", c.partial && matched < c.listed ? w.t("files.notGiven") : ""].filter((s) => s !== "");
  return h("span", {}, h("strong", {}, w.t("files.match", { matched, n: c.listed })), notes.length > 0 && ` (${notes.join("; ")})`);
}

function changedLine(w: Words, c: Changed): HTMLElement {
  const path = outside(c.sealed.path);
  const sentence = w.t(`files.${c.why}`, { path: "{path}", is: w.size(c.given.file.size), was: w.size(c.sealed.size) });
  const f = c.finding;
  const why = f && h("span", { class: saysTheSame(f) ? "told same" : "told" }, reasonFor(w, f));
  if (c.renamed) return h("span", {}, compose(w.t("explain.as", { given: "{given}", sealed: "{sealed}" }), { given: outside(c.given.path), sealed: path }), " ", why ?? "");
  return h("span", {}, h("span", { class: "failed" }, compose(sentence, { path })), ...(why ? [" — ", why] : []));
}

/** Why a file is not what was sealed, and whether that is proved. */
function reasonFor(w: Words, f: Finding): string {
  if (f.cause === "rewritten") return w.t(f.binary ? "explain.damaged" : "explain.rewritten", { changes: w.list(f.changes.map((c) => w.t(`change.${c}`))) });
  if (f.cause === "same-data" || f.cause === "other-data" || f.cause === "unreadable") return isKnown(f.profile) ? w.t(`explain.${f.cause}.${f.profile}`) : w.t("explain.unknown");
  return w.t(`explain.${f.cause}`, { bytes: w.size(f.more) });
}

function named(w: Words, sentence: string, names: string[]): DocumentFragment {
  const list = h("span", {});
  names.slice(0, most).forEach((n, i) => list.append(i > 0 ? ", " : "", outside(n)));
  if (names.length > most) list.append(`, ${w.t("files.andMore", { n: names.length - most })}`);
  return compose(sentence, { names: list });
}
