// The page: a desk to put things on, whom to trust, and what follows.

import type { Given, Progress } from "../files/compare.ts";
import { type Desk, addFiles, emptyDesk } from "../files/desk.ts";
import { fromDrop, fromInput } from "../files/drop.ts";
import { startHasher } from "../files/hasher.ts";
import { undoTravel } from "../format/text.ts";
import { parseTrust } from "../format/trust.ts";
import { parseFingerprint } from "../format/value.ts";
import { type Result, check } from "./check.ts";
import { deskList, problemList } from "./desk_list.ts";
import { h, replace } from "./dom.ts";
import { Memory } from "./memory.ts";
import { results } from "./results.ts";
import { servedTrust } from "./served.ts";
import { frame } from "./frame.ts";
import { type Waiting, trustCards, waitingOf } from "./trust_panel.ts";
import { type Language, Words, isLanguage, preferred } from "./words.ts";

const languagePlace = "trialnotary.language";

class Page {
  private words: Words;
  private desk: Desk = emptyDesk();
  private result: Result | undefined;
  private chosen: Waiting[] = [];
  private readonly declined = new Set<string>();
  private readonly memory = new Memory();
  private readonly served = servedTrust();
  private pin = "";
  private run = 0; // what an older run finds is no longer shown
  private visit = 0; // what was dropped before starting again stays away
  private reading: Promise<void> = Promise.resolve();
  private hasher = startHasher();
  private view;

  constructor(private readonly root: HTMLElement) {
    this.words = new Words(keptLanguage() ?? preferred(navigator.languages));
    this.view = this.draw();
    window.addEventListener("dragover", (e) => e.preventDefault());
    window.addEventListener("drop", (e) => {
      e.preventDefault(); // a file dropped beside the zone must not leave the page
      if (e.dataTransfer) void fromDrop(e.dataTransfer).then((files) => this.add(files));
    });
  }

  private draw(): ReturnType<typeof frame> {
    const w = this.words;
    document.documentElement.lang = w.language;
    document.title = `${w.t("page.title")} · trialnotary`;
    this.view = frame(w, this.pin, {
      language: (l) => this.speak(l),
      files: (list) => void this.add(fromInput(list)),
      trust: (file) => void this.chooseTrust(file),
      pin: (typed) => void this.pinned(typed),
      again: () => this.again(),
      stop: () => this.stop(),
    });
    replace(this.root, ...this.view.parts);
    this.show();
    return this.view;
  }

  private show(): void {
    const { words: w, view } = this;
    replace(view.desk, deskList(w, this.desk));
    replace(view.problems, ...problemList(w, this.desk));
    const waiting = waitingOf(this.chosen, this.served, this.desk, this.memory, this.declined);
    replace(view.trust, ...trustCards(w, this.memory, waiting, {
      accept: (t) => {
        this.memory.accept({ name: t.name, trust: t.trust });
        this.chosen = this.chosen.filter((c) => c !== t);
        void this.check();
      },
      decline: (t) => {
        this.declined.add(t.trust.fingerprint);
        this.show();
      },
      forget: (origin) => {
        const a = this.memory.of(origin);
        if (a) this.memory.forget(a);
        void this.check();
      },
    }));
    replace(view.result, ...(this.result ? results(w, this.result) : []));
  }

  private async add(files: Given[]): Promise<void> {
    if (files.length === 0) return;
    this.view.status(this.words.t("drop.reading"));
    const visit = this.visit;
    // One after the other: each is put on the desk that the one before left.
    this.reading = this.reading.catch(() => undefined).then(async () => {
      const desk = visit === this.visit ? await addFiles(this.desk, files) : this.desk;
      if (visit === this.visit) this.desk = desk;
    });
    await this.reading;
    if (visit !== this.visit) return;
    await this.check();
    if (this.result && this.result.receipts.length + this.result.histories.length > 0) this.view.toResult();
  }

  private async check(): Promise<void> {
    const run = ++this.run;
    this.view.status(this.words.t("drop.checking"));
    this.show();
    await new Promise((r) => setTimeout(r)); // let it be seen
    const progress = (p: Progress) => {
      if (run === this.run) this.view.progress(p);
    };
    try {
      const result = await check(this.desk, this.memory, parseFingerprint(this.pin), this.hasher, progress);
      if (run !== this.run) return;
      this.result = result;
      this.view.status("");
      this.show();
    } catch (e) {
      if (run !== this.run) return;
      this.result = undefined;
      this.show();
      this.view.status("");
      replace(this.view.problems, h("p", { class: "problem" }, this.words.t("problem.fault", { detail: String(e) })));
    }
  }

  private async chooseTrust(file: File): Promise<void> {
    try {
      const { bytes } = undoTravel(new Uint8Array(await file.slice(0, 2 << 20).arrayBuffer()));
      const waiting: Waiting = { name: file.name, trust: parseTrust(bytes), from: "chosen" };
      this.declined.delete(waiting.trust.fingerprint);
      this.chosen = [waiting];
      this.show();
    } catch {
      this.show();
      this.view.trust.prepend(h("p", { class: "problem", role: "alert" }, this.words.t("trust.notOne", { name: file.name })));
    }
  }

  private async pinned(typed: string): Promise<void> {
    this.pin = typed;
    const wrong = typed.trim() !== "" && parseFingerprint(typed) === undefined;
    this.view.pinWrong(wrong);
    if (!wrong) await this.check();
  }

  private stop(): void {
    this.run++;
    this.hasher.stop();
    this.hasher = startHasher();
    this.desk = { ...this.desk, data: [] };
    void this.check();
  }

  private again(): void {
    this.run++;
    this.visit++;
    this.hasher.stop();
    this.hasher = startHasher();
    this.desk = emptyDesk();
    this.result = undefined;
    this.pin = "";
    this.draw();
  }

  private speak(l: Language): void {
    this.words = new Words(l);
    try {
      localStorage.setItem(languagePlace, l);
    } catch {
      // this visit only
    }
    this.draw();
    this.view.focusLanguage();
  }
}

function keptLanguage(): Language | undefined {
  try {
    const l = localStorage.getItem(languagePlace) ?? "";
    return isLanguage(l) ? l : undefined;
  } catch {
    return undefined;
  }
}

new Page(document.getElementById("page")!);
