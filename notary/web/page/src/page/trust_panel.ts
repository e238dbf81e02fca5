// Whom the visitor trusts: files they accepted, and such as wait to be compared.

import type { Desk } from "../files/desk.ts";
import type { Trust } from "../format/trust.ts";
import { h, outside } from "./dom.ts";
import { type Memory, originOf } from "./memory.ts";
import { detail, fingerprint } from "./rows.ts";
import type { Words } from "./words.ts";

/** A trust file that waits to be compared, and where it came from. */
export interface Waiting {
  readonly name: string;
  readonly trust: Trust;
  readonly from: "chosen" | "arrived" | "served";
}

export interface TrustActions {
  accept(w: Waiting): void;
  decline(w: Waiting): void;
  forget(origin: string): void;
}

/** What waits: chosen first, then what the service names, then what came with the evidence. */
export function waitingOf(chosen: Waiting[], served: Waiting | undefined, desk: Desk, memory: Memory, declined: Set<string>): Waiting[] {
  const all = [...chosen, ...(served ? [served] : []), ...desk.trusts.map((t): Waiting => ({ ...t, from: "arrived" }))];
  const seen = new Set([...declined, ...memory.accepted.map((a) => a.trust.fingerprint)]);
  return all.filter((w) => !seen.has(w.trust.fingerprint) && seen.add(w.trust.fingerprint));
}

export function trustCards(w: Words, memory: Memory, waiting: Waiting[], act: TrustActions): HTMLElement[] {
  const cards = memory.accepted.map((a) => card(w, a.name, a.trust, "accepted",
    h("div", { class: "actions" }, h("button", { type: "button", class: "quiet", onclick: () => act.forget(originOf(a)) }, w.t("trust.forget"), " ", h("span", { class: "hidden" }, a.name)))));
  const waits = waiting.map((t) => card(w, t.name, t.trust, "waiting",
    h("p", {}, w.t(t.from === "chosen" ? "trust.chosen" : t.from === "served" ? "trust.served" : "trust.arrived")),
    h("p", {}, w.t("trust.compare")),
    h("div", { class: "actions" },
      h("button", { type: "button", onclick: () => act.accept(t) }, w.t("trust.accept")),
      h("button", { type: "button", class: "quiet", onclick: () => act.decline(t) }, w.t("trust.decline")))));
  return cards.length + waits.length > 0 ? [...cards, ...waits] : [h("p", { class: "hint" }, w.t("trust.none"))];
}

function card(w: Words, name: string, t: Trust, state: "accepted" | "waiting", ...rest: HTMLElement[]): HTMLElement {
  const witnesses = t.policy.witnesses.filter((x) => !x.own).length;
  return h("section", { class: `card ${state}` },
    h("h3", {}, outside(name), " ", h("span", { class: "state" }, w.t(state === "accepted" ? "trust.accepted" : "trust.waiting"))),
    h("dl", {}, detail(w.t("trust.log"), outside(t.policy.log.name), `${w.t("trust.witnesses", { n: witnesses })}, ${w.t("trust.auditors", { n: t.auditors.length })}`),
      detail(w.t("trust.fingerprint"), fingerprint(t.fingerprint))),
    ...rest);
}
