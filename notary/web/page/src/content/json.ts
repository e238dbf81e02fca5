// JSON texts (RFC 8259) read strictly in chunks of any size, and handed on in one
// spelling: strings with the escapes of RFC 8785, numbers as they are written.

/** Takes what is read; false ends the reading. */
export interface JsonValues {
  begin(object: boolean): boolean;
  end(object: boolean): boolean;
  key(name: Uint8Array): boolean; // in its spelling, with quotes
  piece(of: Uint8Array): boolean; // of a string, number or word
  scalar(): boolean; // such a value has ended
}

const maxDepth = 32, maxKey = 4096;

const enum At {
  Top, // between texts
  Value, // a value is due
  Element, // a value or ]
  Key, // a key is due
  Member, // a key or }
  Colon,
  Comma, // a comma or the end of what is open
  String,
  Escape,
  Hex,
  Pair, // the backslash of a low surrogate
  PairU, // and its u
  Minus, // in a number: behind the sign
  Zero, // behind a leading zero
  Int,
  Point,
  Fraction,
  E,
  ESign,
  Exponent,
  Word,
}

const code = (s: string): number => s.charCodeAt(0);
const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;
const quote = code('"'), backslash = code("\\");
const utf8 = new TextEncoder();

export class JsonText {
  texts = 0; // begun
  bad = false;
  private at = At.Top;
  private readonly open: boolean[] = []; // whether each level is an object
  private separate = false; // a line feed stands behind the text read last
  private inner = false; // one stands inside a text
  private ofKey = false;
  private name: number[] = [];
  private word = ""; // what is left to come of true, false or null
  private digits = 0;
  private unit = 0;
  private high = 0; // a high surrogate, waiting for its low one
  private need = 0; // bytes to come of a letter
  private low = 0;
  private last = 0;

  constructor(private readonly to: JsonValues) {}

  write(b: Uint8Array): void {
    for (let i = 0; i < b.length && !this.bad; ) {
      let j = i;
      if (this.at === At.String && this.need === 0) {
        for (; j < b.length; j++) {
          const c = b[j]!;
          if (c < 0x20 || c >= 0x80 || c === quote || c === backslash) break;
        }
      } else if (this.at === At.Int || this.at === At.Fraction || this.at === At.Exponent) {
        while (j < b.length && isDigit(b[j]!)) j++;
      }
      if (j > i) {
        this.put(b.subarray(i, j));
        i = j;
      } else if (this.step(b[i]!)) i++;
    }
  }

  /** Whether all that was written is whole texts, and if several, on lines of their own. */
  done(): boolean {
    return !this.bad && this.at === At.Top && this.texts > 0 && (this.texts === 1 || !this.inner);
  }

  private put(p: Uint8Array): void {
    if (!this.ofKey) this.bad ||= !this.to.piece(p);
    else if (this.name.length + p.length > maxKey) this.bad = true;
    else this.name.push(...p);
  }

  private byte(c: number): void {
    this.put(Uint8Array.of(c));
  }

  /** Takes one byte; false: only the state has changed. */
  private step(c: number): boolean {
    switch (this.at) {
      case At.String:
        this.letter(c);
        return true;
      case At.Escape:
      case At.Hex:
      case At.Pair:
      case At.PairU:
        this.escape(c);
        return true;
      case At.Word:
        if (c !== code(this.word)) {
          this.bad = true;
          return true;
        }
        this.byte(c);
        this.word = this.word.slice(1);
        if (this.word === "") this.finish();
        return true;
      case At.Minus:
      case At.Zero:
      case At.Int:
      case At.Point:
      case At.Fraction:
      case At.E:
      case At.ESign:
      case At.Exponent:
        return this.number(c);
      default:
    }
    if (c === 0x20 || c === 0x09 || c === 0x0a || c === 0x0d) {
      if (c === 0x0a && this.at === At.Top) this.separate = true;
      else if (c === 0x0a) this.inner = true;
    } else this.token(String.fromCharCode(c));
    return true;
  }

  private token(c: string): void {
    switch (this.at) {
      case At.Top:
        if ((this.texts > 0 && !this.separate) || (c !== "{" && c !== "[")) {
          this.bad = true;
          return;
        }
        this.texts++;
        this.separate = false;
        this.value(c);
        return;
      case At.Element:
        if (c === "]") this.close(c);
        else this.value(c);
        return;
      case At.Value:
        this.value(c);
        return;
      case At.Member:
      case At.Key:
        if (c === '"') {
          this.ofKey = true;
          this.name = [quote];
          this.at = At.String;
        } else if (c === "}" && this.at === At.Member) this.close(c);
        else this.bad = true;
        return;
      case At.Colon:
        this.bad = c !== ":";
        this.at = At.Value;
        return;
      default:
        if (c !== ",") this.close(c);
        else this.at = this.open.at(-1) ? At.Key : At.Value;
    }
  }

  /** Takes the first byte of a value. */
  private value(c: string): void {
    if (c === "{" || c === "[") {
      if (this.open.length === maxDepth) {
        this.bad = true;
        return;
      }
      this.open.push(c === "{");
      this.at = c === "{" ? At.Member : At.Element;
      this.bad ||= !this.to.begin(c === "{");
      return;
    }
    const word = { t: "rue", f: "alse", n: "ull" }[c];
    if (word !== undefined) {
      this.at = At.Word;
      this.word = word;
    } else if (c === '"') this.at = At.String;
    else if (c === "-") this.at = At.Minus;
    else if (c === "0") this.at = At.Zero;
    else if (isDigit(code(c))) this.at = At.Int;
    else {
      this.bad = true;
      return;
    }
    this.byte(code(c));
  }

  private close(c: string): void {
    const object = this.open.at(-1);
    if (object === undefined || c !== (object ? "}" : "]")) {
      this.bad = true;
      return;
    }
    this.open.pop();
    this.bad ||= !this.to.end(object);
    this.after();
  }

  private after(): void {
    this.at = this.open.length === 0 ? At.Top : At.Comma;
  }

  private finish(): void {
    this.bad ||= !this.to.scalar();
    this.after();
  }

  /** Takes the next byte of a number; false: it has ended before. */
  private number(c: number): boolean {
    const digit = isDigit(c), e = c === code("e") || c === code("E");
    let next: At | undefined;
    switch (this.at) {
      case At.Minus:
        next = c === 0x30 ? At.Zero : digit ? At.Int : undefined;
        break;
      case At.Point:
        next = digit ? At.Fraction : undefined;
        break;
      case At.E:
      case At.ESign:
        next = digit ? At.Exponent : this.at === At.E && (c === code("+") || c === code("-")) ? At.ESign : undefined;
        break;
      default:
        if (c === code(".") && (this.at === At.Zero || this.at === At.Int)) next = At.Point;
        else if (e && this.at !== At.Exponent) next = At.E;
        else if (!(digit && this.at === At.Zero)) {
          this.finish();
          return false;
        }
    }
    if (next === undefined) {
      this.bad = true;
      return true;
    }
    this.byte(c);
    this.at = next;
    return true;
  }

  /** Takes a byte of a string that is no plain letter. */
  private letter(c: number): void {
    if (this.need > 0) {
      if (c < this.low || c > this.last) this.bad = true;
      this.need--;
      [this.low, this.last] = [0x80, 0xbf];
      this.byte(c);
    } else if (c === quote) {
      this.byte(c);
      if (!this.ofKey) {
        this.finish();
        return;
      }
      this.ofKey = false;
      this.bad ||= !this.to.key(Uint8Array.from(this.name));
      this.at = At.Colon;
    } else if (c === backslash) this.at = At.Escape;
    else if (c < 0xc2 || c > 0xf4) this.bad = true; // control characters, and what begins no letter
    else {
      // RFC 3629 §4
      this.need = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
      this.low = c === 0xe0 ? 0xa0 : c === 0xf0 ? 0x90 : 0x80;
      this.last = c === 0xed ? 0x9f : c === 0xf4 ? 0x8f : 0xbf;
      this.byte(c);
    }
  }

  /** Takes a byte of an escape. */
  private escape(c: number): void {
    const s = String.fromCharCode(c);
    switch (this.at) {
      case At.Pair:
        this.bad = c !== backslash;
        this.at = At.PairU;
        return;
      case At.PairU:
        this.bad = s !== "u";
        this.at = At.Hex;
        this.digits = this.unit = 0;
        return;
      case At.Escape:
        this.at = At.String;
        if (s === "u") {
          this.at = At.Hex;
          this.digits = this.unit = 0;
        } else if (s === "/") this.byte(c);
        else if ('"\\bfnrt'.includes(s)) this.put(Uint8Array.of(backslash, c));
        else this.bad = true;
        return;
      default:
    }
    if (!/[0-9a-fA-F]/.test(s)) {
      this.bad = true;
      return;
    }
    this.unit = this.unit * 16 + parseInt(s, 16);
    if (++this.digits < 4) return;
    const u = this.unit, isLow = u >= 0xdc00 && u <= 0xdfff;
    if (isLow !== (this.high !== 0)) this.bad = true;
    else if (isLow) {
      this.put(utf8.encode(String.fromCharCode(this.high, u)));
      this.high = 0;
      this.at = At.String;
    } else if (u >= 0xd800 && u <= 0xdbff) {
      this.high = u;
      this.at = At.Pair;
    } else {
      // JSON.stringify spells a letter as RFC 8785 §3.2.2.2 has it.
      this.put(utf8.encode(JSON.stringify(String.fromCharCode(u)).slice(1, -1)));
      this.at = At.String;
    }
  }
}
