// The sheet of one receipt: the verdict in plain words, then why, then details.

import { firstToRegister } from "../evidence/believe.ts";
import type { Step } from "../evidence/failure.ts";
import type { TimestampVerdict } from "../evidence/timestamp.ts";
import type { Verdict } from "../evidence/verdict.ts";
import { isSameData } from "../files/compare.ts";
import { base64 } from "../format/value.ts";
import { type CheckedReceipt, wordOf } from "./check.ts";
import { certificateSheet } from "./certificate_sheet.ts";
import { type Child, code, compose, h, outside, seal } from "./dom.ts";
import { filesLines } from "./files_lines.ts";
import { box, detail, fingerprint, row, steps, trustLine } from "./rows.ts";
import { reasonOf } from "./reason.ts";
import { who, when } from "./who_when.ts";
import type { Words } from "./words.ts";

const allSteps: readonly Step[] = ["container", "parts", "checkpoints", "inclusion", "entry", "registration", "authority", "signature", "after"];

export function receiptSheet(w: Words, r: CheckedReceipt): HTMLElement {
  const word = wordOf(r), v = r.verdict;
  const kind = word === "verified" ? "verified" : word === "unconfirmed" ? "unconfirmed" : "not-verified";
  const title = w.t(word === "verified" ? "word.verified" : word === "unconfirmed" ? "word.unconfirmed" : "word.notVerified");
  const compared = r.files?.compared;
  const looked = compared !== undefined && compared.matched.length + compared.renamed.length > 0;
  const lead = r.failure ? (v ? (r.failure.reason.code === "otherList" ? "lead.otherList" : compared && isSameData(compared) ? "lead.sameData" : "lead.filesDiffer") : "lead.notVerified") : word === "unconfirmed" ? "lead.unconfirmed" : looked ? "lead.verifiedFiles" : "lead.verified";
  const hasFiles = looked || r.failure?.step === "files";
  return h("article", { class: `sheet ${kind}${v && !r.failure ? " certified" : ""}` },
    h("header", { class: "verdict" }, seal(kind), h("div", {}, h("h2", {}, title), h("p", { class: "lead" }, w.t(lead)))),
    h("p", { class: "subject" }, v ? h("span", {}, w.of("kind", v.statement.kind), " · ", outside(v.statement.stream), " · ", outside(v.statement.trial)) : outside(r.evidence.name)),
    h("dl", {}, ...rows(w, r)),
    v && !r.failure && h("div", { class: "boxes" },
      box(w.t("proves.title"), w.t("proves.receipt")),
      box(w.t("unknown.title"), w.t(r.place ? "unknown.placed" : "unknown.receipt")),
      box(w.t("unshown.title"), w.t("unshown.all"))),
    v && !r.failure ? certificateSheet(w, r, v) : h("p", { class: "paper" }, w.t("print.checked", { time: w.utc(Date.now() / 1000) })),
    steps(w, hasFiles ? [...allSteps, "files"] : allSteps, r.failure?.step, r.belief.how === "none"),
    v ? details(w, r, v) : h("details", {}, h("summary", {}, w.t("details.title")), h("dl", {}, detail(w.t("details.file"), outside(r.evidence.name)), detail(w.t("details.reason"), code(r.failure!.message)))),
  );
}

function* rows(w: Words, r: CheckedReceipt): Generator<Child> {
  const v = r.verdict;
  if (r.failure) yield row(w, "row.failed", h("span", { class: "failed" }, reasonOf(w, r.failure)), !v && r.failure.step === "checkpoints" && trustLine(w, r.belief));
  for (const u of r.evidence.undone) if (v) yield row(w, "row.arrival", w.t(`arrival.${u}`));
  if (r.files) yield row(w, "row.files", ...filesLines(w, v!.statement.dataset!, r.files));
  if (!v) return;
  const s = v.statement;
  if (s.label !== undefined) yield row(w, "row.label", outside(s.label));
  yield row(w, "row.trial", outside(s.trial), h("span", {}, w.t("trial.fingerprint"), " ", fingerprint(v.trialFingerprint), v.pinned && ` (${w.t("trust.pinned")})`),
    (firstToRegister(v) || (!v.confirmed && !v.pinned)) && h("span", { class: "caution" }, compose(w.t("trust.first", { trial: "{trial}" }), { trial: outside(v.registeredAs) })));
  yield row(w, "row.who", ...who(w, v));
  yield row(w, "row.when", ...when(w, v));
  yield row(w, "row.order", w.t("order.place", { seq: v.entry.seq, index: v.entry.index }));
  yield row(w, "row.more", ...more(w, r));
  if (s.about.length > 0) yield row(w, "row.about", ...s.about.map((id) => compose(w.t("id.statement", { id: "{id}" }), { id: code(id) })));
  if (s.supersedes !== undefined) yield row(w, "row.replaces", compose(w.t("id.statement", { id: "{id}" }), { id: code(s.supersedes) }));
  if (s.reason !== undefined) yield row(w, "row.reason", outside(s.reason));
  yield row(w, "row.trust", trustLine(w, r.belief), v.sponsorListed && v.confirmed && w.t("trust.sponsor"));
}

/** How many more entries there are, where a history came along. */
function more(w: Words, r: CheckedReceipt): Child[] {
  if (!r.place) return [w.t("order.unknown")];
  const { history, item } = r.place;
  const n = item.stream.items.length, before = Number(item.entry.seq) - 1;
  const lines: Child[] = [w.t("order.total", { n, before, after: n - before - 1, time: w.utc(history.batch.time) })];
  const id = r.verdict!.statement.id;
  const later = history.streams.flatMap((s) => s.items).filter((i) => i.state === "valid" && (i.statement!.about.includes(id) || i.statement!.supersedes === id));
  if (later.length > 0) lines.push(h("strong", {}, w.t("order.later", { n: later.length, kinds: w.list([...new Set(later.map((i) => w.of("kind", i.statement!.kind)))]) })));
  if (item.state === "invalid") lines.push(h("strong", {}, w.t("order.lapsed", { why: w.of("why", item.why ?? "") })));
  return lines;
}

const stamp = (w: Words, t: TimestampVerdict): string => (t.at !== undefined ? w.t("timestamp.at", { name: t.authority ?? "", time: w.utc(t.at) }) : w.of("timestamp", t.problem!));

function details(w: Words, r: CheckedReceipt, v: Verdict): HTMLElement {
  const s = v.statement, d = s.dataset;
  return h("details", {}, h("summary", {}, w.t("details.title")), h("dl", {},
    detail(w.t("details.file"), outside(r.evidence.name)),
    r.failure && detail(w.t("details.reason"), code(r.failure.message)),
    detail(w.t("details.statement"), code(s.id)),
    detail(w.t("details.stream"), code(s.streamId)),
    d && detail(w.t("details.dataset"), code(base64(d.root))),
    detail(w.t("details.key"), code(v.grant.key.text)),
    detail(w.t("details.log"), code(v.origin)),
    detail(w.t("details.checkpoint"), w.t("details.size", { size: v.finalSize })),
    detail(w.t("details.batch"), `${w.number(v.entry.batch)}`),
    v.met && detail(w.t("details.witnesses"), v.met.witnesses.length > 0 ? outside(w.list(v.met.witnesses)) : w.t("when.unproved")),
    v.timestamps.length > 0 && detail(w.t("details.timestamps"), ...v.timestamps.map((t) => stamp(w, t))),
    v.renewals.length > 0 && detail(w.t("details.renewals"), ...v.renewals.map((t) => stamp(w, t))),
    v.after && detail(w.t("details.after"), w.t("details.size", { size: v.after.size })),
    detail(w.t("details.text"), h("pre", { tabindex: "0" }, s.text)),
  ));
}
