// Who said it and when, on the screen and on paper.

import type { Verdict } from "../evidence/verdict.ts";
import { type Child, compose, h, outside } from "./dom.ts";
import { moment } from "./rows.ts";
import type { Words } from "./words.ts";

export function who(w: Words, v: Verdict): Child[] {
  const s = v.statement, key = outside(s.keyName);
  const by = v.grant.by === undefined
    ? w.t("who.registered", { role: w.of("role", v.grant.role), day: w.day(v.enrolledAt) })
    : compose(w.t("who.enrolled", { enroller: "{enroller}", day: w.day(v.enrolledAt) }), { enroller: outside(v.enroller) });
  const name = s.signer === undefined ? undefined : compose(w.t("who.signer", { signer: "{signer}", meaning: w.of("meaning", s.meaning!) }), { signer: h("strong", {}, outside(s.signer)) });
  const keyLine = s.signer === undefined && v.grant.person !== undefined
    ? compose(w.t("who.person", { key: "{key}", person: "{person}" }), { key, person: outside(v.grant.person) })
    : compose(w.t("who.key", { key: "{key}" }), { key });
  return [name, h("span", {}, keyLine, ", ", by)];
}

/** The proved times first, the claimed ones as claims. */
export function when(w: Words, v: Verdict): Child[] {
  const lines: Child[] = [];
  if (v.noLaterThan) {
    const by = v.noLaterThan.by === "tsa" ? w.t("when.tsa", { name: v.noLaterThan.name }) : w.t("when.witnesses", { n: v.met!.witnesses.length, of: v.met!.of });
    lines.push(h("span", {}, compose(w.t("when.noLater", { time: "{time}" }), { time: h("strong", {}, moment(w, v.noLaterThan.at)) }), `, ${by}`));
  }
  if (v.after?.notBefore !== undefined) lines.push(compose(w.t("when.notBefore", { time: "{time}" }), { time: moment(w, v.after.notBefore) }));
  if (lines.length === 0) lines.push(w.t(v.unsigned ? "when.unknown" : "when.unproved"));
  lines.push(h("span", { class: "claim" }, w.t("when.claims", { log: w.utc(v.entry.time), signer: w.utc(v.statement.time) })));
  return lines;
}
