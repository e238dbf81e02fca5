// The profile dataset-json/v1: CDISC Dataset-JSON 1.1, as JSON or NDJSON, without the
// time of its export. The digest is over one line per member of the top-level object.

import { type Canonical, type Digest, fromLatin, latin } from "./canonical.ts";
import { JsonText, type JsonValues } from "./json.ts";

/** An array or object that is open. */
interface Level {
  readonly object: boolean;
  readonly outer: number; // the object around it that was the innermost
  values: number; // that have begun
  key: string; // of an object: of the value that is being read
  buf: string[]; // and that value
  readonly members: { key: string; value: string }[]; // and those before
  size: number;
}

const maxObject = 1 << 20, maxMembers = 1024;
const created = '"datasetJSONCreationDateTime"', version = '"datasetJSONVersion"', columns = '"columns"', rows = '"rows"';
const comma = latin(","), opening = latin("["), closing = latin("]");
const startLength = 8;

export class DatasetJson implements Digest, JsonValues {
  private readonly text = new JsonText(this);
  private readonly seen = new Map<string, string>();
  private readonly levels: Level[] = []; // the top-level object first
  private sorted = 0; // the innermost object below that, 0: none
  private member = ""; // the key there, with its quotes
  private start = ""; // how its value begins
  private lines = 0; // rows of NDJSON
  private inside = false; // a string, number or word

  constructor(private readonly out: Canonical, private readonly ndjson: Canonical) {}

  write(b: Uint8Array): void {
    this.text.write(b);
  }

  sum(): string | undefined {
    if (!this.text.done() || ![columns, created, version].every((k) => this.seen.has(k))) return undefined;
    if (!this.seen.has(rows)) {
      if (this.lines === 0) this.ndjson.write(opening);
      this.ndjson.write(closing);
      this.seen.set(rows, this.ndjson.sum());
    }
    // Keys are texts of bytes, so that they are ordered as these are.
    for (const k of [...this.seen.keys()].sort()) {
      if (k !== created) this.out.write(latin(`${this.seen.get(k)!} ${k}\n`));
    }
    return this.out.sum();
  }

  /** Writes to where the value that is being read goes. */
  private emit(p: Uint8Array): boolean {
    if (this.sorted > 0) {
      const l = this.levels[this.sorted]!;
      l.buf.push(fromLatin(p));
      return (l.size += p.length) <= maxObject;
    }
    if (this.text.texts > 1) {
      this.ndjson.write(p);
      return true;
    }
    if (this.start.length < startLength) this.start += fromLatin(p.subarray(0, startLength - this.start.length));
    this.out.write(p);
    return true;
  }

  /** Is called before every value; puts a comma between those of an array. */
  private before(value: "array" | "object" | "scalar"): boolean {
    const n = this.levels.length, l = this.levels[n - 1];
    if (!l) return true;
    // Rows are arrays, and in them is nothing but scalars.
    const inRows = this.text.texts === 1 && this.member === rows;
    if (((this.text.texts > 1 && n === 1) || (inRows && n === 3)) && value !== "scalar") return false;
    if (inRows && n === 2 && value !== "array") return false;
    l.values++;
    return l.object || l.values === 1 || this.emit(comma);
  }

  begin(object: boolean): boolean {
    if (!this.before(object ? "object" : "array")) return false;
    if (this.levels.length === 0) {
      if (object !== (this.text.texts === 1)) return false; // an object, then rows
      if (!object) {
        if (this.seen.has(rows)) return false;
        this.ndjson.write(this.lines === 0 ? opening : comma);
        this.lines++;
        this.ndjson.write(opening);
      }
    } else if (!object && !this.emit(opening)) return false;
    this.levels.push({ object, outer: this.sorted, values: 0, key: "", buf: [], members: [], size: 0 });
    if (object && this.levels.length > 1) this.sorted = this.levels.length - 1;
    return true;
  }

  key(name: Uint8Array): boolean {
    const l = this.levels.at(-1)!;
    l.key = fromLatin(name);
    if (this.levels.length > 1) {
      l.buf = [];
      return (l.size += name.length + 64) <= maxObject; // with what it costs to keep
    }
    this.member = l.key;
    this.start = "";
    return !this.seen.has(l.key) && this.seen.size < maxMembers;
  }

  piece(p: Uint8Array): boolean {
    if (!this.inside) {
      this.inside = true;
      if (!this.before("scalar")) return false;
    }
    return this.emit(p);
  }

  scalar(): boolean {
    this.inside = false;
    return this.ended();
  }

  end(): boolean {
    const l = this.levels.pop()!;
    this.sorted = l.outer;
    if (this.levels.length === 0) {
      if (this.text.texts > 1) this.ndjson.write(closing);
      return true;
    }
    if (!l.object) return this.emit(closing) && this.ended();
    l.members.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    if (l.members.some((m, i) => i > 0 && m.key === l.members[i - 1]!.key)) return false;
    return this.emit(latin(`{${l.members.map((m) => `${m.key}:${m.value}`).join(",")}}`)) && this.ended();
  }

  /** Is called behind every value that is inside another. */
  private ended(): boolean {
    const l = this.levels.at(-1)!;
    if (!l.object) return true;
    if (this.levels.length > 1) {
      l.members.push({ key: l.key, value: l.buf.join("") });
      return true;
    }
    this.seen.set(this.member, this.out.sum());
    switch (this.member) {
      case version:
        return this.start === '"1.1"' || this.start.startsWith('"1.1.');
      case created:
        return this.start.startsWith('"');
      case columns:
      case rows:
        return this.start.startsWith("[");
      default:
        return true;
    }
  }
}
