// The parts of the page that always stand, and where the others go.

import type { Progress } from "../files/compare.ts";
import { visible } from "../format/text.ts";
import { h } from "./dom.ts";
import { type Language, type Words, languages } from "./words.ts";

export interface Acts {
  language(l: Language): void;
  files(list: FileList): void;
  trust(file: File): void;
  pin(typed: string): void;
  again(): void;
  stop(): void;
}

export function frame(w: Words, pin: string, act: Acts) {
  const desk = h("div", { class: "desk" }), problems = h("div", { "aria-live": "polite" });
  const trust = h("div", { class: "cards" }), result = h("div", {});
  const status = h("p", { class: "status", role: "status" });
  const bar = h("progress", { max: "1", value: "0", "aria-label": w.t("drop.title") });
  const stop = h("button", { type: "button", class: "quiet", onclick: () => act.stop() }, w.t("drop.stop"));
  const busy = h("div", { class: "busy", hidden: true }, bar, stop);

  const chooser = (label: string, o: Record<string, string | boolean>, use: (l: FileList) => void, quiet: boolean) => {
    const input = h("input", { type: "file", class: "hidden", tabindex: "-1", "aria-hidden": "true", ...o,
      onchange: (e) => {
        const i = e.target as HTMLInputElement;
        if (i.files && i.files.length > 0) use(i.files);
        i.value = ""; // so that the same file can be chosen again
      } });
    return [h("button", { type: "button", class: quiet ? "quiet" : undefined, onclick: () => input.click() }, label), input];
  };

  const zone = h("div", { class: "zone",
    ondragenter: () => zone.classList.add("over"), ondragover: () => zone.classList.add("over"),
    ondragleave: () => zone.classList.remove("over"), ondrop: () => zone.classList.remove("over") },
    h("p", { class: "here" }, w.t("drop.here")),
    h("div", { class: "actions" },
      ...chooser(w.t("drop.files"), { multiple: true, id: "files" }, (l) => act.files(l), false),
      ...chooser(w.t("drop.folder"), { webkitdirectory: true, id: "folder" }, (l) => act.files(l), false)),
    h("p", { class: "hint" }, w.t("drop.hint")));

  const select = h("select", { id: "language", "aria-label": w.t("page.language"), onchange: (e) => act.language((e.target as HTMLSelectElement).value as Language) },
    ...Object.entries(languages).map(([l, name]) => h("option", { value: l, lang: l, selected: l === w.language }, name)));
  const pinInput = h("input", { id: "pin", type: "text", value: pin, autocomplete: "off", spellcheck: "false", "aria-describedby": "pin-hint pin-wrong",
    onchange: (e) => act.pin((e.target as HTMLInputElement).value) });
  const pinWrong = h("p", { id: "pin-wrong", class: "problem", role: "alert" });
  const resultTitle = h("h2", { class: "hidden", id: "result", tabindex: "-1" }, w.t("list.result"));

  const parts = [
    h("a", { class: "skip", href: "#result" }, w.t("page.skip")),
    h("header", { class: "top" }, h("p", { class: "brand" }, "trialnotary"), h("p", { class: "sub" }, w.t("page.name")), select),
    h("main", {},
      h("h1", {}, w.t("page.title")),
      h("p", { class: "intro" }, w.t("page.lead")),
      h("p", { class: "intro private" }, w.t("page.private")),
      h("section", { class: "panel", "aria-labelledby": "drop-title" }, h("h2", { id: "drop-title" }, w.t("drop.title")), zone, desk, problems, status, busy,
        h("div", { class: "actions end" }, h("button", { type: "button", class: "quiet", onclick: () => act.again() }, w.t("drop.again")))),
      h("section", { class: "panel", "aria-labelledby": "trust-title" }, h("h2", { id: "trust-title" }, w.t("trust.title")),
        h("p", { class: "hint" }, w.t("trust.lead")), trust,
        h("div", { class: "actions" }, ...chooser(w.t("trust.choose"), { id: "trust-file" }, (l) => act.trust(l[0]!), false)),
        h("div", { class: "pin" }, h("label", { for: "pin" }, w.t("pin.label")), pinInput, h("p", { class: "hint", id: "pin-hint" }, w.t("pin.hint")), pinWrong)),
      h("section", { class: "results", "aria-labelledby": "result" }, resultTitle, result)),
    h("footer", {}, h("p", {}, w.t("page.foot"))),
  ];
  return {
    parts, desk, problems, trust, result,
    status: (s: string) => {
      status.textContent = s;
      busy.hidden = true;
    },
    progress: (p: Progress) => {
      busy.hidden = false;
      bar.max = p.of;
      bar.value = p.done;
      // Said to the eye only: a reader of the screen hears when it is done.
      const amount = (n: number) => (p.bytes ? w.size(n) : w.number(n));
      bar.title = w.t("drop.hashing", { name: visible(p.name), done: amount(p.done), of: amount(p.of) });
      bar.setAttribute("aria-valuetext", `${Math.floor((100 * p.done) / Math.max(1, p.of))} %`);
      stop.textContent = `${w.t("drop.stop")} · ${amount(p.done)} / ${amount(p.of)}`;
      stop.hidden = !p.bytes;
    },
    pinWrong: (wrong: boolean) => {
      pinWrong.textContent = wrong ? w.t("pin.wrong") : "";
      pinInput.toggleAttribute("aria-invalid", wrong);
    },
    toResult: () => {
      resultTitle.focus({ preventScroll: true });
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      result.scrollIntoView({ behavior: still ? "auto" : "smooth", block: "start" });
    },
    focusLanguage: () => select.focus(),
  };
}
