// The words of the page in the visitor's language.

import { type Catalogue, type Key, en } from "../words/en.ts";
import { de } from "../words/de.ts";
import { es } from "../words/es.ts";
import { fr } from "../words/fr.ts";

export const languages = { en: "English", de: "Deutsch", fr: "Français", es: "Español" } as const;
export type Language = keyof typeof languages;

const catalogues: Record<Language, Catalogue> = { en, de, fr, es };

export const isLanguage = (s: string): s is Language => Object.hasOwn(catalogues, s);

/** The first of the browser's languages that the page has. */
export function preferred(of: readonly string[]): Language {
  return of.map((l) => l.slice(0, 2)).find(isLanguage) ?? "en";
}

export type Values = Record<string, string | number | bigint>;

/** Writes words, numbers, sizes and times in one language. */
export class Words {
  private readonly plural: Intl.PluralRules;
  constructor(readonly language: Language) {
    this.plural = new Intl.PluralRules(language);
  }

  t(key: Key, values: Values = {}): string {
    const forms = catalogues[this.language][key].split("|");
    const n = Number(values["n"] ?? 1);
    const form = forms[this.plural.select(n) === "one" ? 0 : forms.length - 1]!;
    return form.replace(/\{([a-zA-Z]+)\}/g, (_, name: string) => {
      const v = values[name] ?? "";
      return typeof v === "string" ? v : this.number(v);
    });
  }

  /** The word for a value from outside, such as a kind; the value itself if there is none. */
  of(prefix: "kind" | "meaning" | "role" | "why" | "part" | "state" | "check" | "timestamp" | "problem", value: string, values: Values = {}): string {
    const key = `${prefix}.${value}`;
    return Object.hasOwn(en, key) ? this.t(key as Key, values) : value;
  }

  number(n: number | bigint): string {
    return new Intl.NumberFormat(this.language).format(n);
  }

  size(bytes: number | bigint): string {
    let n = Number(bytes);
    const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
    let i = 0;
    while (n >= 1000 && i < units.length - 1) {
      n /= 1000;
      i++;
    }
    return new Intl.NumberFormat(this.language, { style: "unit", unit: units[i]!, unitDisplay: i === 0 ? "long" : "short", maximumFractionDigits: n < 10 && i > 0 ? 1 : 0 }).format(n);
  }

  day(seconds: number): string {
    return this.format(seconds, { dateStyle: "long", timeZone: "UTC" });
  }

  /** A time in UTC, with the name of the month. */
  utc(seconds: number): string {
    return `${this.format(seconds, { dateStyle: "long", timeStyle: "short", timeZone: "UTC" })} UTC`;
  }

  /** The same where the visitor is, undefined where that is UTC. */
  local(seconds: number): string | undefined {
    const here = { dateStyle: "long", timeStyle: "short" } as const;
    if (this.format(seconds, here) === this.format(seconds, { ...here, timeZone: "UTC" })) return undefined;
    return this.format(seconds, { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
  }

  private format(seconds: number, o: Intl.DateTimeFormatOptions): string {
    return new Intl.DateTimeFormat(this.language === "en" ? "en-GB" : this.language, o).format(new Date(seconds * 1000));
  }

  list(all: string[]): string {
    return new Intl.ListFormat(this.language, { type: "conjunction" }).format(all);
  }
}
