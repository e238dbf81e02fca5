// What every profile writes to, and the bytes it writes.

/** A SHA-256 that takes bytes as they come. */
export interface Hash {
  init(): unknown;
  update(b: Uint8Array): unknown;
  digest(form: "hex"): string;
}

/** Takes in a file from its beginning; then gives its digest in hex, undefined if the profile does not read it. */
export interface Digest {
  write(b: Uint8Array): void;
  sum(): string | undefined;
}

/** Gathers canonical bytes, which come in small pieces, for their SHA-256. */
export class Canonical {
  private readonly buf = new Uint8Array(1 << 14);
  private n = 0;
  constructor(private readonly hash: Hash) {
    hash.init();
  }

  write(b: Uint8Array): void {
    if (this.n + b.length > this.buf.length) {
      this.flush();
      if (b.length >= this.buf.length) {
        this.hash.update(b);
        return;
      }
    }
    this.buf.set(b, this.n);
    this.n += b.length;
  }

  byte(c: number): void {
    if (this.n === this.buf.length) this.flush();
    this.buf[this.n++] = c;
  }

  private flush(): void {
    this.hash.update(this.buf.subarray(0, this.n));
    this.n = 0;
  }

  /** The digest; then it begins anew. */
  sum(): string {
    this.flush();
    const s = this.hash.digest("hex");
    this.hash.init();
    return s;
  }
}

/** Bytes of a text of letters below 256. */
export const latin = (s: string): Uint8Array => Uint8Array.from(s, (c) => c.charCodeAt(0));

/** The same the other way round: a text whose letters are the bytes, ordered as they are. */
export function fromLatin(b: Uint8Array): string {
  let s = "";
  for (let i = 0; i < b.length; i += 0x2000) s += String.fromCharCode(...b.subarray(i, i + 0x2000));
  return s;
}
