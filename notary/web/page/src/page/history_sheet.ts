// The sheet of one history: which streams are complete, up to where, by whose word.

import type { HistoryVerdict, Item, StreamVerdict } from "../evidence/completeness.ts";
import { firstToRegister } from "../evidence/believe.ts";
import type { Step } from "../evidence/failure.ts";
import { type CheckedHistory, wordOf } from "./check.ts";
import { type Child, code, compose, h, outside, seal } from "./dom.ts";
import { reasonOf } from "./reason.ts";
import { box, detail, fingerprint, row, steps, trustLine } from "./rows.ts";
import type { Words } from "./words.ts";

const allSteps: readonly Step[] = ["container", "parts", "checkpoints", "inclusion", "auditors", "map", "entries", "statements", "registration"];
const mostRows = 500;

export function historySheet(w: Words, c: CheckedHistory): HTMLElement {
  const word = wordOf(c), v = c.verdict;
  const kind = word === "verified" ? "verified" : word === "unconfirmed" ? "unconfirmed" : "not-verified";
  const title = w.t(word === "verified" ? "word.verified" : word === "unconfirmed" ? "word.unconfirmed" : "word.notVerified");
  const lead = w.t(word === "verified" ? "lead.verifiedHistory" : word === "unconfirmed" ? "lead.unconfirmed" : "lead.notVerified");
  return h("article", { class: `sheet ${kind}` },
    h("header", { class: "verdict" }, seal(kind), h("div", {}, h("h2", {}, title), h("p", { class: "lead" }, lead))),
    h("p", { class: "subject" }, outside(c.evidence.name)),
    h("dl", {}, ...rows(w, c)),
    v && table(w, v),
    v && h("div", { class: "boxes" },
      box(w.t("proves.title"), w.t("proves.history")), box(w.t("unknown.title"), w.t("unknown.history")), box(w.t("unshown.title"), w.t("unshown.all"))),
    h("p", { class: "paper" }, w.t("print.checked", { time: w.utc(Date.now() / 1000) })),
    steps(w, allSteps, c.failure?.step, c.belief.how === "none"),
    h("details", {}, h("summary", {}, w.t("details.title")), h("dl", {},
      c.failure && detail(w.t("details.reason"), code(c.failure.message)),
      v && detail(w.t("details.log"), code(v.origin)),
      v && detail(w.t("details.checkpoint"), w.t("details.size", { size: v.finalSize })),
      v && detail(w.t("details.stream"), ...v.streams.map((s) => h("span", {}, streamName(w, s), " ", code(s.id)))),
      detail(w.t("details.file"), outside(c.evidence.name)))),
  );
}

function* rows(w: Words, c: CheckedHistory): Generator<Child> {
  if (c.failure) yield row(w, "row.failed", h("span", { class: "failed" }, reasonOf(w, c.failure)));
  const v = c.verdict;
  if (!v) return;
  if (v.believed) {
    yield row(w, "row.trial", outside(v.believed.registration.trial), h("span", {}, w.t("trial.fingerprint"), " ", fingerprint(v.believed.trialFingerprint), v.believed.pinned && ` (${w.t("trust.pinned")})`),
      (firstToRegister(v.believed) || (!v.confirmed && !v.believed.pinned)) && h("span", { class: "caution" }, compose(w.t("trust.first", { trial: "{trial}" }), { trial: outside(v.believed.registeredAs) })),
      v.rivals.length > 0 && h("span", { class: "caution" }, w.t("history.rivals", { n: v.rivals.length })));
  } else yield row(w, "row.trial", h("span", { class: "caution" }, w.t("history.noRegistration")));
  yield row(w, "row.asOf", w.t("history.batch", { number: v.batch.number, time: w.utc(v.batch.time) }));
  yield row(w, "row.order", ...v.streams.map((s) => h("span", {}, streamName(w, s), ": ", ...count(w, s))));
  yield row(w, "row.more", w.t(v.wholeTrial ? "history.whole" : "history.part"), v.missing.length > 0 && h("span", {}, w.t("row.missing"), ": ", outside(w.list(v.missing.map((m) => (m.name === "registration" ? w.t("history.registrationStream", { trial: m.trial }) : m.name))))));
  yield row(w, "row.audited", v.auditors.length > 0
    ? compose(w.t("history.audited", { names: "{names}" }), { names: outside(w.list(v.auditors.map((a) => a.name))) })
    : h("span", { class: "caution" }, w.t("history.operator")));
  yield row(w, "row.trust", trustLine(w, c.belief));
}

function streamName(w: Words, s: StreamVerdict): HTMLElement {
  if (s.role === "registration") return h("span", {}, compose(w.t("history.registrationStream", { trial: "{trial}" }), { trial: outside(s.trial ?? "") }));
  return s.name === undefined ? h("span", {}, w.t("history.unnamed")) : outside(s.name);
}

function count(w: Words, s: StreamVerdict): Child[] {
  const n = s.items.length;
  if (n === 0) return [w.t("history.none")];
  const of = (state: Item["state"]) => s.items.filter((i) => i.state === state).length;
  const closed = of("closed"), invalid = of("invalid"), undecided = of("undecided");
  return [h("strong", {}, w.t("history.stream", { n })), closed > 0 && `, ${w.t("history.closed", { n: closed })}`,
    invalid > 0 && h("span", { class: "failed" }, `, ${w.number(invalid)} ${w.t("state.invalid")}`), undecided > 0 && `, ${w.number(undecided)} ${w.t("state.undecided")}`];
}

/** Every entry in log order; none is left out of the count where not all are shown. */
function table(w: Words, v: HistoryVerdict): HTMLElement {
  const all = v.streams.flatMap((s) => s.items).sort((a, b) => (a.entry.index < b.entry.index ? -1 : 1));
  const head = (["history.index", "history.streamName", "history.seq", "history.statement", "history.batchTime", "history.state"] as const).map((k) => h("th", { scope: "col" }, w.t(k)));
  const cell = (name: typeof head[number], ...c: Child[]) => h("td", { "data-name": name.textContent ?? "" }, ...c);
  const lines = all.slice(0, mostRows).map((i) => h("tr", { class: i.state },
    cell(head[0]!, w.number(i.entry.index)), cell(head[1]!, streamName(w, i.stream)), cell(head[2]!, w.number(i.entry.seq)),
    cell(head[3]!, i.statement ? w.of("kind", i.statement.kind) : "—", i.statement?.label !== undefined && h("span", { class: "label" }, " ", outside(i.statement.label))),
    cell(head[4]!, w.utc(i.entry.time)),
    cell(head[5]!, h("strong", {}, w.of("state", i.state)), i.why !== undefined && h("span", { class: "why" }, " ", w.of("why", i.why, { index: i.entry.index })))));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": w.t("history.caption") },
    h("table", {}, h("caption", {}, w.t("history.caption"), all.length > mostRows && ` — ${w.t("history.first", { n: mostRows, of: all.length })}`), h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...lines)));
}
