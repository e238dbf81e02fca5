// How files at hand relate to those that were sealed: matched, changed, missing, or
// not among them. Every sealed file is in exactly one of the first three.

import { type Finding, lineOf, saysTheSame } from "../explain/finding.ts";
import { type File as Sealed } from "../format/manifest.ts";
import { compareBytes } from "../format/value.ts";
import type { ExplainFile, HashFile } from "./hasher.ts";

/** A file of the visitor's with its path as it was chosen or dropped. */
export interface Given {
  readonly path: string; // in Unicode normalisation form C
  readonly file: File;
  readonly loose: boolean; // chosen by itself, not in a folder
}

/** A sealed file whose bytes at hand are others, and why, where that was looked for. */
export interface Changed {
  readonly sealed: Sealed;
  readonly given: Given;
  readonly why: "size" | "bytes" | "unreadable";
  finding?: Finding | undefined;
  readonly renamed?: boolean; // it was sealed under another name, and only the finding shows it
}

export interface Comparison {
  readonly listed: number;
  readonly matched: string[];
  readonly renamed: { sealed: string; given: string }[]; // the very bytes under another name
  readonly changed: Changed[];
  readonly missing: string[];
  readonly extra: string[]; // at hand, not sealed
  readonly partial: boolean; // only loose files were given, not the whole
}

export interface Progress {
  readonly done: number;
  readonly of: number;
  readonly name: string;
  readonly bytes?: boolean; // that is what is counted
}

/** own: files that count only where they have the path of a sealed one. */
export async function compareFiles(sealed: Sealed[], data: Given[], own: Given[], hash: HashFile, progress: (p: Progress) => void): Promise<Comparison> {
  const byPath = new Map(sealed.map((s) => [s.path, s]));
  const given = [...data, ...own.filter((g) => [...placeFiles(byPath, [g]).values()][0])];
  const named = placeFiles(byPath, given);
  const changed: Changed[] = [], toRead: { given: Given; sealed?: Sealed }[] = [];
  const found = new Set<Sealed>();
  for (const [g, s] of named) {
    if (!s) continue;
    found.add(s);
    if (BigInt(g.file.size) !== s.size) changed.push({ sealed: s, given: g, why: "size" });
    else toRead.push({ given: g, sealed: s });
  }
  const missing = sealed.filter((s) => !found.has(s));
  // Other files are read only where they may be missing ones under a new name.
  const sizes = new Set(missing.map((s) => s.size));
  const others = [...named].filter(([, s]) => !s).map(([g]) => g);
  for (const g of others) if (sizes.has(BigInt(g.file.size))) toRead.push({ given: g });

  const of = toRead.reduce((n, r) => n + r.given.file.size, 0);
  let before = 0;
  const matched: string[] = [], renamed: Comparison["renamed"] = [];
  for (const { given: g, sealed: s } of toRead) {
    const d = await hash(g.file, (done) => progress({ done: before + done, of, name: g.path, bytes: true }));
    before += g.file.size;
    const same = (x: Sealed) => d !== undefined && x.sha256 === d.sha256 && x.sha512 === d.sha512;
    if (!s) {
      const old = missing.find((m) => m.size === BigInt(g.file.size) && same(m));
      if (old) renamed.push({ sealed: old.path, given: g.path });
    } else if (same(s)) matched.push(s.path);
    else changed.push({ sealed: s, given: g, why: d ? "bytes" : "unreadable" });
  }
  return {
    listed: sealed.length, matched: matched.sort(compareBytes), renamed, changed,
    missing: missing.map((s) => s.path).filter((p) => !renamed.some((r) => r.sealed === p)),
    extra: others.map((g) => g.path).filter((p) => !renamed.some((r) => r.given === p)).sort(compareBytes),
    partial: data.every((g) => g.loose),
  };
}

/**
 * Finds for each given file the sealed one of its name: by its path; without the
 * folders above, where several folders were dropped or one that holds the sealed
 * one; a loose file also by the one sealed path that ends with its name.
 */
function placeFiles(byPath: Map<string, Sealed>, given: Given[]): Map<Given, Sealed | undefined> {
  const placed = new Map<Given, Sealed | undefined>();
  const taken = new Set<Sealed>();
  for (const g of given) {
    let s: Sealed | undefined;
    for (let path = g.path; ; path = path.slice(path.indexOf("/") + 1)) {
      s = byPath.get(path);
      if (s || !path.includes("/")) break;
    }
    if (!s && g.loose) {
      const ends = [...byPath.values()].filter((x) => x.path.endsWith("/" + g.path));
      s = ends.length === 1 ? ends[0] : undefined;
    }
    if (s && taken.has(s)) s = undefined;
    if (s) taken.add(s);
    placed.set(g, s);
  }
  return placed;
}

const mostExplained = 64; // files; each is read again
const mostTried = 8; // sealed files that one of another name may be

/**
 * Says of each changed file why it is not what was sealed, and of those that were not
 * sealed whether they are proved to say the same as a missing one.
 */
export async function explainChanges(c: Comparison, sealed: Sealed[], data: Given[], explain: ExplainFile, progress: (p: Progress) => void): Promise<Comparison> {
  const read = (g: Given, s: Sealed) => explain(g.file, lineOf(s), (done) => progress({ done, of: g.file.size, name: g.path, bytes: true }));
  for (const x of c.changed.slice(0, mostExplained)) if (x.why !== "unreadable") x.finding = await read(x.given, x.sealed);
  const missing = new Set(c.missing), found: Changed[] = [];
  const ending = (path: string): string => /\.[^./]*$/.exec(path)?.[0] ?? "";
  for (const path of c.extra.slice(0, mostExplained)) {
    const g = data.find((d) => d.path === path);
    for (const s of sealed.filter((x) => missing.has(x.path) && ending(x.path) === ending(path)).slice(0, mostTried)) {
      const finding = g && (await read(g, s));
      if (!g || !finding || !saysTheSame(finding)) continue;
      found.push({ sealed: s, given: g, why: "bytes", finding, renamed: true });
      missing.delete(s.path);
      break;
    }
  }
  return { ...c, changed: [...c.changed, ...found].sort((a, b) => compareBytes(a.sealed.path, b.sealed.path)), missing: c.missing.filter((p) => missing.has(p)), extra: c.extra.filter((p) => !found.some((x) => x.given.path === p)) };
}

/** Whether all that differs is proved to say the same as what was sealed. */
export function isSameData(c: Comparison): boolean {
  return c.changed.every((x) => x.finding && saysTheSame(x.finding)) && (c.partial ? c.extra.length === 0 : c.missing.length === 0);
}

/** Whether the files at hand are what was sealed. */
export function isWhole(c: Comparison): boolean {
  return c.changed.length === 0 && (c.partial ? c.extra.length === 0 : c.missing.length === 0 && c.renamed.length === 0);
}
