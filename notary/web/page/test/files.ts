// The files of the Go packages that both implementations read.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** The folder notary/ of the repository; tests run in the page's. */
export const notary = join(process.cwd(), "../..");

export const read = (...path: string[]): Uint8Array => new Uint8Array(readFileSync(join(notary, ...path)));
export const readJSON = <T>(...path: string[]): T => JSON.parse(readFileSync(join(notary, ...path), "utf8")) as T;

/** Every file of a vectors folder, good or bad, by name; there is at least one. */
export function vectors(pkg: string, kind: "good" | "bad"): [string, Uint8Array][] {
  const dir = join(pkg, "testdata/vectors", kind);
  const names = readdirSync(join(notary, dir)).filter((n) => n.endsWith(".txt"));
  if (names.length === 0) throw new Error(`no vectors in ${dir}`);
  return names.map((n) => [n, read(dir, n)]);
}

/** The reasons of the bad vectors of a package; each file has one. */
export const reasons = (pkg: string): Record<string, string> => readJSON(pkg, "testdata/vectors/bad.json");
