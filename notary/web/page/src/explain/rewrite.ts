// Ways to make the bytes sealed out of those at hand: other line ends, a byte order
// mark, line ends at the end, another Unicode form.

import type { Change } from "./finding.ts";
import { Reformer } from "./reform.ts";
import type { Shape } from "./shape.ts";

const maxNewlines = 16;
const mark = Uint8Array.of(0xef, 0xbb, 0xbf);

export interface Rewrite {
  readonly ends: "" | "lf" | "crlf"; // what line ends become
  readonly mark: -1 | 0 | 1; // taken away, or put there
  readonly form: "" | "NFC" | "NFD";
  readonly newline: "\n" | "\r\n"; // at the end
  readonly count: number; // so many times
}

/** The ways that give a file of that size, the simplest first. */
export function candidates(s: Shape, sealed: number): Rewrite[] {
  const all: Rewrite[] = [];
  const forms: [Rewrite["form"], number | undefined][] = [["", s.size], ["NFC", s.composed], ["NFD", s.decomposed]];
  for (const [form, size] of forms) {
    if (size === undefined) continue;
    for (const m of [0, s.marked ? -1 : 1] as const) {
      for (const ends of ["", "lf", "crlf"] as const) {
        if ((ends === "lf" && s.crlf + s.tailCRLF === 0) || (ends === "crlf" && s.lf + s.tailLF === 0)) continue;
        const left = sealed - (s.body + size - s.size + m * mark.length) + (ends === "lf" ? s.crlf : ends === "crlf" ? -s.lf : 0);
        for (const newline of ["\n", "\r\n"] as const) {
          if ((ends === "lf" && newline !== "\n") || (ends === "crlf" && newline !== "\r\n")) continue;
          const count = left / newline.length;
          if (left >= 0 && Number.isInteger(count) && count <= s.tailLF + s.tailCRLF + maxNewlines) all.push({ ends, mark: m, form, newline, count });
        }
      }
    }
  }
  return all;
}

/** What happened, which is the other way round. */
export function changesOf(t: Rewrite, s: Shape): Change[] {
  const all: Change[] = [];
  const tail = s.tailLF + s.tailCRLF;
  if (t.ends !== "") all.push(t.ends === "lf" ? "crlf" : "lf");
  if (t.mark !== 0) all.push(t.mark < 0 ? "bom-added" : "bom-removed");
  const stayed = Math.min(t.count, tail); // more than are of that kind: some were of the other
  if (t.ends === "" && (t.newline === "\n" ? s.tailLF : s.tailCRLF) < stayed) all.push(t.newline === "\n" ? "crlf" : "lf");
  if (t.count !== tail) all.push(t.count < tail ? "newline-added" : "newline-removed");
  if (t.form !== "") all.push(t.form === "NFC" ? "unicode-decomposed" : "unicode-composed");
  return all;
}

/** Takes the body at hand and gives what a rewrite makes of it. */
export class Rewriter {
  private skip: number;
  private cr = false;
  private readonly reformer: Reformer | undefined;

  constructor(private readonly t: Rewrite, private readonly to: (b: Uint8Array) => void) {
    this.skip = t.mark < 0 ? mark.length : 0;
    this.reformer = t.form === "" ? undefined : new Reformer(t.form);
    if (t.mark > 0) to(mark);
  }

  write(b: Uint8Array): void {
    const from = Math.min(this.skip, b.length);
    this.skip -= from;
    b = b.subarray(from);
    if (this.t.ends === "") {
      this.put(b);
      return;
    }
    const out = new Uint8Array(2 * b.length + 1);
    let n = 0;
    for (const c of b) {
      if (this.cr && c !== 0x0a) out[n++] = 0x0d;
      this.cr = c === 0x0d;
      if (this.cr) continue;
      if (c === 0x0a && this.t.ends === "crlf") out[n++] = 0x0d;
      out[n++] = c;
    }
    this.put(out.subarray(0, n));
  }

  private put(b: Uint8Array): void {
    const out = this.reformer ? this.reformer.write(b) : b;
    if (out) this.to(out);
  }

  end(): void {
    if (this.cr) this.put(Uint8Array.of(0x0d));
    const rest = this.reformer?.end();
    if (rest) this.to(rest);
    const newline = new TextEncoder().encode(this.t.newline);
    for (let i = 0; i < this.t.count; i++) this.to(newline);
  }
}
