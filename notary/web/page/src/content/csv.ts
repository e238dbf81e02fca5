// The profile csv/v1: RFC 4180 read strictly; every field between double quotes, a
// comma between fields, a line feed after every row.

import type { Canonical, Digest } from "./canonical.ts";

const quote = 0x22, comma = 0x2c, lf = 0x0a, cr = 0x0d;
const mark = [0xef, 0xbb, 0xbf];

const enum At {
  Row, // a row begins, or the file ends
  Field, // a field begins
  Plain, // in a field without quotes
  Quoted, // in a field between quotes
  QuotedCR, // behind a CR there
  Quote, // behind a quote there: its end, or one of two
  CR, // behind a CR that must be followed by LF
}

export class CsvDigest implements Digest {
  private at = At.Row;
  private seen = 0; // bytes of a byte order mark; -1 once behind
  private bad = false;
  private fields = 0;
  private columns = 0; // 0 before the end of the first row
  private open = false;

  constructor(private readonly out: Canonical) {}

  write(b: Uint8Array): void {
    let i = 0;
    for (; this.seen >= 0 && i < b.length; ) {
      if (b[i] === mark[this.seen]) {
        i++;
        if (++this.seen === mark.length) this.seen = -1;
      } else this.noMark();
    }
    this.read(b, i);
  }

  /** What looked like a byte order mark is data. */
  private noMark(): void {
    const begun = Uint8Array.from(mark.slice(0, this.seen));
    this.seen = -1;
    this.read(begun, 0);
  }

  private read(b: Uint8Array, i: number): void {
    while (i < b.length && !this.bad) {
      const c = b[i]!;
      if (c === 0) {
        this.bad = true;
        return;
      }
      if (this.at === At.Plain || this.at === At.Quoted) {
        let j = i;
        for (; j < b.length; j++) {
          const d = b[j]!;
          if (d === quote || d === cr || d === 0 || (this.at === At.Plain && (d === comma || d === lf))) break;
        }
        if (j > i) {
          this.begin();
          this.out.write(b.subarray(i, j));
          i = j;
          continue;
        }
      }
      if (this.step(c)) i++;
    }
  }

  /** Takes one byte; false: only the state has changed. */
  private step(c: number): boolean {
    switch (this.at) {
      case At.Row:
      case At.Field:
        this.at = c === quote ? At.Quoted : At.Plain;
        return c === quote;
      case At.Plain:
        if (c === quote) this.bad = true;
        else this.ends(c);
        return true;
      case At.Quoted:
        this.at = c === quote ? At.Quote : At.QuotedCR;
        return true;
      case At.QuotedCR:
        this.at = At.Quoted;
        this.begin();
        this.out.byte(c === lf ? lf : cr);
        return c === lf;
      case At.Quote:
        if (c === quote) {
          this.begin();
          this.out.byte(quote);
          this.out.byte(quote);
          this.at = At.Quoted;
        } else this.ends(c);
        return true;
      case At.CR:
        if (c === lf) this.ends(c);
        else this.bad = true;
        return true;
    }
  }

  /** Takes the byte that ends a field. */
  private ends(c: number): void {
    if (c === comma) {
      this.endField();
      this.at = At.Field;
    } else if (c === lf) {
      this.endField();
      this.out.byte(lf);
      this.bad ||= this.columns !== 0 && this.columns !== this.fields;
      this.columns = this.fields;
      this.fields = 0;
      this.at = At.Row;
    } else if (c === cr) this.at = At.CR;
    else this.bad = true;
  }

  private begin(): void {
    if (this.open) return;
    this.open = true;
    if (this.fields > 0) this.out.byte(comma);
    this.out.byte(quote);
  }

  private endField(): void {
    this.begin();
    this.out.byte(quote);
    this.open = false;
    this.fields++;
  }

  sum(): string | undefined {
    if (this.seen > 0) this.noMark();
    if (this.at === At.Field || this.at === At.Plain || this.at === At.Quote) this.ends(lf);
    else if (this.at !== At.Row) this.bad = true;
    return this.bad || this.columns === 0 ? undefined : this.out.sum();
  }
}
