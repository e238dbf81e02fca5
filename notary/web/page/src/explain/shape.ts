// What of a file decides its size after a change: which changes can have made it out of
// one of the size that was sealed is then a matter of arithmetic.

import { Reformer } from "./reform.ts";

const mark = [0xef, 0xbb, 0xbf];

export class Shape {
  size = 0;
  body = 0; // without the line ends at the end
  lf = 0; // line ends in the body
  crlf = 0;
  tailLF = 0; // and at the end
  tailCRLF = 0;
  marked = true; // it begins with a byte order mark
  zero = false; // a byte is 0
  composed: number | undefined; // the size in NFC, if it is text with letters beyond ASCII
  decomposed: number | undefined;
  private cr = false; // the byte before was a CR
  private readonly forms = [new Reformer("NFC"), new Reformer("NFD")];
  private readonly sizes = [0, 0];
  private high = false;

  take(b: Uint8Array): void {
    for (let i = 0; i < b.length && this.size + i < mark.length; i++) this.marked &&= b[i] === mark[this.size + i];
    for (let i = 0; i < b.length; i++) {
      const c = b[i]!, at = this.size + i;
      if (c > 127) this.high = true;
      if (this.cr) {
        this.cr = false;
        if (c === 0x0a) {
          this.tailCRLF++;
          continue;
        }
        this.inBody(at); // that CR alone is data
      }
      if (c === 0x0d) this.cr = true;
      else if (c === 0x0a) this.tailLF++;
      else {
        if (c === 0) this.zero = true;
        this.inBody(at + 1);
      }
    }
    if (!this.zero) this.forms.forEach((f, i) => (this.sizes[i]! += f.write(b)?.length ?? 0));
    this.size += b.length;
  }

  /** The body reaches to there: the line ends before are not the last. */
  private inBody(end: number): void {
    this.lf += this.tailLF;
    this.crlf += this.tailCRLF;
    this.tailLF = this.tailCRLF = 0;
    this.body = end;
  }

  end(): void {
    if (this.cr) this.inBody(this.size);
    this.marked &&= this.size >= mark.length;
    const [nfc, nfd] = this.forms.map((f, i) => {
      const rest = f.end();
      return this.high && !this.zero && rest ? this.sizes[i]! + rest.length : undefined;
    });
    this.composed = nfc;
    this.decomposed = nfd;
  }
}
