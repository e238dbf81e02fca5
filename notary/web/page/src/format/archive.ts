// txtar as the formats use it: one version line, then named parts. Names have no
// blanks and stand once; what the parts are, and in which order, is the format's.

import { FormatError, anyBlank, decodeLines, encode, lineError } from "./text.ts";

/** A part: its lines as text, empty or ended by LF. */
export interface Part {
  readonly name: string;
  readonly text: string;
}

export const partBytes = (p: Part): Uint8Array => encode(p.text);

/** Parses an archive of at most limit bytes with that version line. */
export function parseArchive(b: Uint8Array, version: string, limit: number): Part[] {
  if (b.length > limit) throw new FormatError(`it has ${b.length} bytes, at most ${limit} are allowed`);
  const text = decodeLines(b);
  if (!text.endsWith("\n")) throw lineError(0, "does not end with a line feed");
  const lines = text.slice(0, -1).split("\n");
  if (lines[0] !== version) throw lineError(1, `is not "${version}"`);

  const parts: { name: string; lines: string[] }[] = [];
  const seen = new Set<string>();
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i]!;
    const name = markerName(line);
    if (name === undefined) {
      if (parts.length === 0) throw lineError(i + 1, "is not the start of a part");
      parts.at(-1)!.lines.push(line);
      continue;
    }
    if (`-- ${name} --` !== line || /[ \t]/.test(name)) throw lineError(i + 1, "is not written as the start of a part is");
    if (seen.has(name)) throw lineError(i + 1, "starts a part that stands twice");
    seen.add(name);
    parts.push({ name, lines: [] });
  }
  return parts.map((p) => ({ name: p.name, text: p.lines.map((l) => l + "\n").join("") }));
}

/** The name in a line that txtar reads as a marker, without blanks around it. */
function markerName(line: string): string | undefined {
  if (line.length < 6 || !line.startsWith("-- ") || !line.endsWith(" --")) return undefined;
  let name = line.slice(3, -3);
  while (name !== "" && anyBlank.test(name[0]!)) name = name.slice(1);
  while (name !== "" && anyBlank.test(name.at(-1)!)) name = name.slice(0, -1);
  return name === "" ? undefined : name;
}

/** Takes parts in the order a format gives them. */
export class Parts {
  private at = 0;
  constructor(private readonly parts: Part[]) {}

  next(name: string): boolean {
    return this.parts[this.at]?.name === name;
  }

  /** The name of the next part, undefined at the end. */
  get name(): string | undefined {
    return this.parts[this.at]?.name;
  }

  /** The part of that name, which is due here; it may be empty. */
  takeAny(name: string): string {
    const p = this.parts[this.at];
    if (!p) throw new FormatError(`part "${name}" is missing at the end`);
    if (p.name !== name) throw new FormatError(`part "${p.name.slice(0, 60)}" stands where "${name}" is due`);
    this.at++;
    return p.text;
  }

  take(name: string): string {
    const text = this.takeAny(name);
    if (text === "") throw new FormatError(`part "${name}" is empty`);
    return text;
  }

  done(): void {
    const p = this.parts[this.at];
    if (p) throw new FormatError(`part "${p.name.slice(0, 60)}" has no place here`);
  }
}
