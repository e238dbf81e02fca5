// The trust files that the visitor accepted, kept by the browser where it lets a
// page keep anything; else for this visit.

import { type Trust, parseTrust } from "../format/trust.ts";
import { encode } from "../format/text.ts";

export interface Accepted {
  readonly name: string;
  readonly trust: Trust;
}

const place = "trialnotary.trust";

export class Memory {
  private all: Accepted[] = [];

  constructor() {
    try {
      const kept = JSON.parse(localStorage.getItem(place) ?? "[]") as { name: string; text: string }[];
      this.all = kept.map((k) => ({ name: k.name, trust: parseTrust(encode(k.text)) }));
    } catch {
      this.all = []; // nothing kept, or not by this page
    }
  }

  /** Accepts a trust file, in place of the one of the same log. */
  accept(a: Accepted): void {
    this.all = [...this.all.filter((x) => originOf(x) !== originOf(a)), a];
    this.keep();
  }

  forget(a: Accepted): void {
    this.all = this.all.filter((x) => x !== a);
    this.keep();
  }

  get accepted(): readonly Accepted[] {
    return this.all;
  }

  of(origin: string): Accepted | undefined {
    return this.all.find((a) => originOf(a) === origin);
  }

  private keep(): void {
    try {
      localStorage.setItem(place, JSON.stringify(this.all.map((a) => ({ name: a.name, text: new TextDecoder().decode(a.trust.bytes) }))));
    } catch {
      // A browser that keeps nothing: this visit only.
    }
  }
}

export const originOf = (a: { trust: Trust }): string => a.trust.policy.log.name;
