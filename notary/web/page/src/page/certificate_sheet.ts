// What a receipt is on paper: the sheet that the program prints as a certificate, in
// the same order.

import { codeText } from "../evidence/certificate_code.ts";
import type { Verdict } from "../evidence/verdict.ts";
import { hex } from "../format/value.ts";
import { type CheckedReceipt, wordOf } from "./check.ts";
import { type Child, code, compose, h, outside, qr } from "./dom.ts";
import { filesLines } from "./files_lines.ts";
import { box, detail, fingerprint, row } from "./rows.ts";
import { who, when } from "./who_when.ts";
import type { Words } from "./words.ts";

/** The lists of a statement of which only the beginning is printed, as in the program. */
const maxAbout = 2, maxRules = 4;
const longText = 240;

export function certificateSheet(w: Words, r: CheckedReceipt, v: Verdict): HTMLElement {
  const s = v.statement, confirmed = wordOf(r) === "verified";
  const text = codeText(v, r.evidence.bytes);
  const subject = s.stream === s.kind ? [s.trial] : [s.stream, s.trial];
  // What was written long is written small, so that the sheet stays one.
  const written = [s.label, s.reason, s.signer, s.person].join("").length;
  return h("section", { class: `paper certificate${written > longText ? " long" : ""}` },
    h("header", {}, h("h2", {}, w.t("cert.title")), h("p", { class: "standing" }, w.t(confirmed ? "word.verified" : "cert.unconfirmed"))),
    h("p", { class: "lead" }, w.t(confirmed ? "cert.lead" : "lead.unconfirmed")),
    h("p", { class: "subject" }, w.of("kind", s.kind), ...subject.flatMap((x) => [" · ", outside(x)])),
    h("dl", {},
      row(w, "row.trial", h("strong", {}, outside(s.trial)), fingerprint(v.trialFingerprint), h("span", { class: "claim" }, w.t("cert.compare"), " ", w.t(confirmed && v.sponsorListed ? "cert.sponsor" : "cert.noSponsor"))),
      row(w, "row.what", ...what(w, r, v)),
      row(w, "row.who", ...who(w, v), h("span", { class: "claim" }, w.t("cert.role", { role: v.grant.role }))),
      row(w, "row.when", ...when(w, v)),
      row(w, "cert.place", h("span", {}, w.t("order.place", { seq: v.entry.seq, index: v.entry.index }), " · ", outside(v.origin)))),
    h("div", { class: "prints" },
      h("dl", {},
        detail(w.t("cert.statement"), grouped(s.id)),
        detail(w.t("cert.data"), s.dataset ? grouped(hex(s.dataset.root)) : w.t("cert.noData")),
        detail(w.t("cert.code"), code(text))),
      qr(text)),
    h("h3", {}, w.t("print.steps")),
    h("ol", {}, h("li", {}, w.t("print.step1")), h("li", {}, w.t("print.step2")), h("li", {}, w.t("print.step3"))),
    h("div", { class: "boxes" },
      box(w.t(confirmed ? "cert.proves" : "cert.provesIf"), ...w.t("cert.provesAll").split("\n")),
      box(w.t("cert.provesNot"), ...w.t("cert.provesNotAll").split("\n"))),
    h("p", { class: "foot" }, w.t("print.checked", { time: w.utc(Date.now() / 1000) }), r.belief.trust && h("span", {}, " · ", w.t("row.trust"), " ", fingerprint(r.belief.trust.fingerprint))));
}

function what(w: Words, r: CheckedReceipt, v: Verdict): Child[] {
  const s = v.statement, lines: Child[] = [];
  lines.push(h("strong", {}, w.of("kind", s.kind), s.label !== undefined && h("span", {}, ": “", outside(s.label), "”")));
  if (s.dataset) lines.push(w.t("cert.files", { n: s.dataset.files, bytes: w.number(s.dataset.bytes) }));
  if (r.files?.compared) lines.push(...filesLines(w, s.dataset!, r.files));
  for (const k of s.keys) lines.push(compose(w.t("cert.key", { key: "{key}", role: k.role, stream: "{stream}" }), { key: outside(k.key.name), stream: outside(k.stream) }));
  if (s.person !== undefined) lines.push(outside(s.person));
  if (s.also.length > 0) lines.push(compose(w.t("cert.also", { trials: "{trials}" }), { trials: outside(w.list(s.also.map((a) => a.trial))) }));
  if (s.rules.length > 0) lines.push(compose(w.t("cert.rules", { rules: "{rules}" }), { rules: outside(some(s.rules.map((p) => `${p.first} → ${p.then}`), maxRules)) }));
  if (s.reason !== undefined) lines.push(h("span", {}, w.t("row.reason"), ": ", outside(s.reason)));
  if (s.supersedes !== undefined) lines.push(h("span", { class: "claim" }, w.t("row.replaces"), ": ", code(s.supersedes)));
  if (s.about.length > 0) lines.push(h("span", { class: "claim" }, w.t("row.about"), ": ", code(some(s.about, maxAbout))));
  return lines;
}

/** At most that many, and how many are left. */
const some = (all: string[], most: number): string => all.slice(0, most).join(", ") + (all.length > most ? ` + ${all.length - most}` : "");

/** A hash in groups of four, on two lines. */
function grouped(hash: string): HTMLElement {
  const groups = hash.match(/.{4}/g)!;
  return h("span", { class: "fingerprint" }, groups.slice(0, 8).join(" "), h("br"), groups.slice(8).join(" "));
}
