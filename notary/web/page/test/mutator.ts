// Changes to receipts and trust files, as accident and malice make them; the same
// seed gives the same ones.

export class Mutator {
  private state: number;
  constructor(seed: number, private readonly good: Uint8Array[]) {
    this.state = seed >>> 0;
  }

  /** A number below n (mulberry32). */
  private below(n: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  }

  private pick<T>(all: T[]): T {
    return all[this.below(all.length)]!;
  }

  receipt(): Uint8Array {
    const b = this.pick(this.good);
    return this.pick([this.bit, this.digit, this.base64, this.line, this.part, this.splice, this.witness, this.whole])(b);
  }

  trust(): Uint8Array {
    return this.pick([this.bit, this.digit, this.base64, this.line, this.line, this.part, this.word, this.word])(this.pick(this.good));
  }

  history(): Uint8Array {
    return this.pick([this.bit, this.digit, this.base64, this.line, this.part, this.part, this.witness, this.entry, this.closed, this.closed, this.whole])(this.pick(this.good));
  }

  /** Of a certificate or a zip: a byte, some of them, or the end. */
  file(): Uint8Array {
    const b = this.pick(this.good), at = this.below(b.length), n = 1 + this.below(64);
    return this.pick([this.bit, this.bit, this.digit8, () => b.slice(0, at), () => new Uint8Array([...b.subarray(0, at), ...b.subarray(at + n)]), () => new Uint8Array([...b, ...b.subarray(at, at + n)])])(b);
  }

  /** A digit outside what is packed becomes another: lengths, sizes. */
  private readonly digit8 = (b: Uint8Array): Uint8Array => {
    const s = Buffer.from(b).toString("latin1"), at = [...s.matchAll(/\/(?:Length|Size|EmbeddedFile|FlateDecode|certificate@v1)[^\n]*/g)];
    if (at.length === 0) return this.bit(b);
    const m = this.pick(at), c = b.slice();
    c[m.index + this.below(m[0].length)] = 0x30 + this.below(10);
    return c;
  };

  private readonly text = (b: Uint8Array): string => new TextDecoder().decode(b);
  private readonly bytes = (s: string): Uint8Array => new TextEncoder().encode(s);

  private readonly bit = (b: Uint8Array): Uint8Array => {
    const c = b.slice();
    c[this.below(c.length)]! ^= 1 << this.below(8);
    return c;
  };

  /** One digit becomes another: sizes, indexes, times, ids. */
  private readonly digit = (b: Uint8Array): Uint8Array => {
    const s = this.text(b), at = [...s.matchAll(/[0-9]/g)].map((m) => m.index);
    const i = this.pick(at);
    return this.bytes(s.slice(0, i) + this.below(10) + s.slice(i + 1));
  };

  /** A letter of base64 becomes another that keeps the form. */
  private readonly base64 = (b: Uint8Array): Uint8Array => {
    const s = this.text(b), runs = [...s.matchAll(/[A-Za-z0-9+/]{30,}/g)];
    const r = this.pick(runs), i = r.index + this.below(r[0].length - 2);
    return this.bytes(s.slice(0, i) + this.pick([..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"]) + s.slice(i + 1));
  };

  /** A line is taken away, doubled, or changes places with the next. */
  private readonly line = (b: Uint8Array): Uint8Array => {
    const l = this.text(b).split("\n"), i = this.below(l.length - 1);
    if (this.below(3) === 0) l.splice(i, 1);
    else if (this.below(2) === 0) l.splice(i, 0, l[i]!);
    else [l[i], l[i + 1]] = [l[i + 1]!, l[i]!];
    return this.bytes(l.join("\n"));
  };

  private parts(b: Uint8Array): string[] {
    return this.text(b).split(/^(?=-- )/m);
  }

  /** A part is taken away, or two change places, names and all or contents alone. */
  private readonly part = (b: Uint8Array): Uint8Array => {
    const p = this.parts(b), i = 1 + this.below(p.length - 1), j = 1 + this.below(p.length - 1);
    const [head, ...rest] = p[i]!.split("\n"), [other, ...others] = p[j]!.split("\n");
    const kind = this.below(3);
    if (kind === 0) p.splice(i, 1);
    else if (kind === 1) [p[i], p[j]] = [p[j]!, p[i]!];
    else [p[i], p[j]] = [[head, ...others].join("\n"), [other, ...rest].join("\n")];
    return this.bytes(p.join(""));
  };

  /** Parts of another receipt stand in for those of the same name, in threes as they belong together. */
  private readonly splice = (b: Uint8Array): Uint8Array => {
    const from = this.parts(this.pick(this.good)), p = this.parts(b);
    const name = this.pick(["statement", "entry", "proof", "timestamp-1", "renewal-1", "renewal-2", "grant-1", "grant-2", "registration"]);
    const whole = this.below(2) === 0;
    const belongs = (s: string): boolean => (whole && name.length < 12 && ["statement", "entry", "proof"].includes(name) ? /^-- (statement|entry|proof)/.test(s) : s.startsWith(`-- ${name}`) && (whole || s.startsWith(`-- ${name} `)));
    const others = from.filter(belongs), at = p.findIndex(belongs);
    if (at < 0 || others.length === 0) return this.line(b);
    return this.bytes([...p.filter((s, i) => i < at && !belongs(s)), ...others, ...p.filter((s, i) => i >= at && !belongs(s))].join(""));
  };

  /** A signature line is taken away or renamed, so that fewer vouch. */
  private readonly witness = (b: Uint8Array): Uint8Array => {
    const l = this.text(b).split("\n"), at = l.map((s, i) => (s.startsWith("— ") ? i : -1)).filter((i) => i >= 0);
    for (let n = 1 + this.below(3); n > 0 && at.length > 0; n--) {
      const [i] = at.splice(this.below(at.length), 1);
      if (this.below(2) === 0) l[i!] = "";
      else l[i!] = l[i!]!.replace("— ", "— x.");
    }
    return this.bytes(l.filter((s, i) => s !== "" || !at.includes(i)).join("\n").replace(/\n\n\n+/g, "\n\n"));
  };

  /** An entry of a stream is taken away. */
  private readonly entry = (b: Uint8Array): Uint8Array => {
    const s = this.text(b), m = this.pick([...s.matchAll(/trialnotary\/entry@v1\n(?:.*\n){5}/g)]);
    return this.bytes(s.slice(0, m.index) + s.slice(m.index + m[0].length));
  };

  /** Statements are closed, whole streams left out. */
  private readonly closed = (b: Uint8Array): Uint8Array => {
    const p = this.parts(b), opened = p.filter((s) => /^-- [0-9]+\/statement-/.test(s));
    const gone = new Set(opened.filter(() => this.below(3) === 0));
    const last = Math.max(...p.map((s) => Number(/^-- ([0-9]+)\//.exec(s)?.[1] ?? 0)));
    const drop = this.below(3) === 0 ? last : 0;
    return this.bytes(p.filter((s) => !gone.has(s) && (drop === 0 || !s.startsWith(`-- ${drop}/`))).join(""));
  };

  /** What mail does to all of it. */
  private readonly whole = (b: Uint8Array): Uint8Array => {
    const s = this.text(b);
    return this.bytes(this.pick([s.replaceAll("\n", "\r\n"), `\ufeff${s}`, s.slice(0, this.below(s.length)), s + "\n", s.replaceAll("=", ""), s.replace("receipt@v1", "receipt@v2")]));
  };

  /** A word of a trust file becomes another of its kind. */
  private readonly word = (b: Uint8Array): Uint8Array => {
    const words = ["any", "all", "1", "2", "3", "w1", "w2", "both", "none", "log", "witness", "group", "quorum", "ed25519", "ml-dsa-44", "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "-- sponsors --", "-- auditors --"];
    const s = this.text(b), all = [...s.matchAll(/\S+/g)], m = this.pick(all);
    return this.bytes(s.slice(0, m.index) + this.pick(words) + s.slice(m.index + m[0].length));
  };
}
