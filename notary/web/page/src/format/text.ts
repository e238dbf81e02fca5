// The one style of every format: UTF-8 lines ended by LF, in a fixed order,
// strict and canonical. The first error ends the reading and names its line.

/** The bytes are not the one form of any value. */
export class FormatError extends Error {}

/** An error that names a line; line 0 is the whole. */
export function lineError(line: number, what: string): FormatError {
  return new FormatError(line > 0 ? `line ${line} ${what}` : `it ${what}`);
}

const encoder = new TextEncoder();

export const encode = (s: string): Uint8Array => encoder.encode(s);

/** Decodes strict UTF-8; a byte order mark stays a character. */
export function decode(b: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(b);
  } catch {
    throw new FormatError("it is not valid UTF-8");
  }
}

// C0 but LF, U+007F, C1, the line and paragraph separators, and what turns the
// direction of text.
const forbidden = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
const forbiddenOrLF = new RegExp(forbidden.source.replace("\\u000b", "\\u000a\\u000b"));
const everyForbidden = new RegExp(forbiddenOrLF.source, "g");
const blankAtAnEnd = /^\p{White_Space}|\p{White_Space}$/u;
export const anyBlank = /\p{White_Space}/u;

/** Whether a single line may hold s: no control, separator or bidi character. */
export const isPlain = (s: string): boolean => !forbiddenOrLF.test(s);

export const hasOuterBlank = (s: string): boolean => blankAtAnEnd.test(s);

/** Text from outside, with every forbidden character written out. */
export function visible(s: string): string {
  return s.replace(everyForbidden, (c) => `<U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}>`);
}

/** Decodes text of whole lines, without any character that no format allows. */
export function decodeLines(b: Uint8Array): string {
  const s = decode(b);
  const at = s.search(forbidden);
  if (at >= 0) {
    const line = s.slice(0, at).split("\n").length;
    throw lineError(line, s[at] === "\r" ? "ends with CR LF; lines end with LF alone" : `has the forbidden character ${visible(s[at]!)}`);
  }
  return s;
}

/** Undoes what mail and editors do to a file that travels, and says what that was. */
export function undoTravel(b: Uint8Array): { bytes: Uint8Array; undone: ("bom" | "crlf")[] } {
  const undone: ("bom" | "crlf")[] = [];
  if (b[0] === 0xef && b[1] === 0xbb && b[2] === 0xbf) {
    b = b.subarray(3);
    undone.push("bom");
  }
  const kept = new Uint8Array(b.length);
  let n = 0;
  for (let i = 0; i < b.length; i++) {
    if (b[i] !== 0x0d || b[i + 1] !== 0x0a) kept[n++] = b[i]!;
  }
  if (n < b.length) {
    b = kept.subarray(0, n);
    undone.push("crlf");
  }
  return { bytes: b, undone };
}

/** Reads the lines of one format in their order. */
export class Lines {
  private readonly lines: string[];
  private at = 0;

  constructor(text: string) {
    if (text === "") throw lineError(0, "is empty");
    if (!text.endsWith("\n")) throw lineError(0, "does not end with a line feed");
    this.lines = text.slice(0, -1).split("\n");
    const odd = this.lines.findIndex((l) => !isPlain(l));
    if (odd >= 0) throw lineError(odd + 1, "has a forbidden character");
  }

  /** An error about the line read last. */
  fault(what: string): FormatError {
    return lineError(this.at, what);
  }

  get more(): boolean {
    return this.at < this.lines.length;
  }

  next(): string {
    const l = this.lines[this.at++];
    if (l === undefined) throw this.fault("is missing");
    if (hasOuterBlank(l)) throw this.fault("has leading or trailing blanks");
    return l;
  }

  exact(want: string): void {
    if (this.next() !== want) throw this.fault(`is not "${want}"`);
  }

  /** Whether the next line is "key …". */
  has(key: string): boolean {
    return this.more && this.lines[this.at]!.startsWith(key + " ");
  }

  /** The value of a line "key value". */
  value(key: string): string {
    const l = this.next();
    const v = l.slice(key.length + 1);
    if (!l.startsWith(key + " ") || v === "" || v[0] === " ") throw this.fault(`is not "${key}" and a value`);
    return v;
  }

  /** The value of the next line if that is "key value". */
  optional(key: string): string | undefined {
    return this.has(key) ? this.value(key) : undefined;
  }

  /** The fields of a line "key f1 f2 …", as many as one of the counts. */
  fields(key: string, ...counts: number[]): string[] {
    const f = this.value(key).split(" ");
    if (f.includes("") || !counts.includes(f.length)) throw this.fault(`does not have ${counts.join(" or ")} fields after "${key}"`);
    return f;
  }

  /** Reads a field of the line read last with a parser. */
  parse<T>(parser: (s: string) => T, s: string): T {
    try {
      return parser(s);
    } catch (e) {
      if (e instanceof FormatError) throw this.fault(e.message);
      throw e;
    }
  }

  done(): void {
    if (this.more) {
      this.at++;
      throw this.fault("is unexpected");
    }
  }
}
