// Brings UTF-8 into a Unicode form as it comes by, in bounded memory: nothing before an
// ASCII letter joins with it, so that each such letter is a place to cut.

const longest = 1 << 20; // letters in a row that are not ASCII

export class Reformer {
  private readonly decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  private readonly encoder = new TextEncoder();
  private held = "";
  private broken = false;

  constructor(private readonly form: "NFC" | "NFD") {}

  /** The bytes that are decided; undefined once it is no UTF-8, or cannot be cut. */
  write(b: Uint8Array): Uint8Array | undefined {
    return this.take(() => this.decoder.decode(b, { stream: true }), false);
  }

  end(): Uint8Array | undefined {
    return this.take(() => this.decoder.decode(), true);
  }

  private take(decode: () => string, all: boolean): Uint8Array | undefined {
    if (this.broken) return undefined;
    try {
      this.held += decode();
    } catch {
      this.broken = true;
      return undefined;
    }
    let cut = this.held.length;
    if (!all) while (cut > 0 && this.held.charCodeAt(--cut) > 127);
    const out = this.held.slice(0, cut);
    this.held = this.held.slice(cut);
    if (this.held.length > longest) this.broken = true;
    return this.broken ? undefined : this.encoder.encode(out.normalize(this.form));
  }
}
