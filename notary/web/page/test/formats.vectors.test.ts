// The golden vectors that the Go packages read: the same are accepted, the same refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArchive } from "../src/format/archive.ts";
import { parseCheckpoint, parseProof } from "../src/format/checkpoint.ts";
import { parseBatch, parseEntry } from "../src/format/entry.ts";
import { parseHead } from "../src/format/head.ts";
import { parseManifest, rootOf } from "../src/format/manifest.ts";
import { isOpeningOf, openingVersion, parseOpening } from "../src/format/opening.ts";
import { parsePolicy } from "../src/format/policy.ts";
import { parseStatement } from "../src/format/statement.ts";
import { parseMapProof, provesMap } from "../src/format/streammap.ts";
import { FormatError, decode } from "../src/format/text.ts";
import { parseTrust } from "../src/format/trust.ts";
import { equal, parseHash } from "../src/format/value.ts";
import { parseReceipt } from "../src/evidence/receipt.ts";
import { readJSON, reasons, vectors } from "./files.ts";

type Dataset = { root: string; files: number; bytes: bigint };

/** Reads a manifest or an opening as one who holds the statement. */
function readDataset(b: Uint8Array, d: Dataset): void {
  const root = parseHash(d.root), files = BigInt(d.files);
  if (new TextDecoder().decode(b.subarray(0, 19)) === openingVersion.slice(0, 19)) {
    if (!isOpeningOf(parseOpening(b), root, files)) throw new FormatError("of another dataset");
    return;
  }
  const m = parseManifest(b);
  if (!equal(rootOf(m), root) || BigInt(m.files.length) !== files || m.bytes !== d.bytes) throw new FormatError("of another dataset");
}

/** Numbers above 2^53 stand in good.json, which JSON.parse would round. */
const big = (d: { root: string; files: number; bytes: number }): Dataset => ({ ...d, bytes: d.bytes > Number.MAX_SAFE_INTEGER ? (1n << 64n) - 1n : BigInt(d.bytes) });
const datasets = readJSON<Record<string, { root: string; files: number; bytes: number }>>("manifest/testdata/vectors/good.json");
const roots = readJSON<Record<string, string>>("streammap/testdata/vectors/roots.json");

const readers: Record<string, (b: Uint8Array, name: string, dir: string) => void> = {
  statement: (b) => void parseStatement(b),
  entry: (b, name) => void (/^(sample-)?batch\b/.test(name) ? parseBatch(b) : parseEntry(b)),
  checkpoint: (b, name) => void ({ checkpoint: parseCheckpoint, head: parseHead, proof: parseProof, policy: parsePolicy } as Record<string, (b: Uint8Array) => unknown>)[name.split(/[-.]/)[0]!]!(b),
  manifest: (b, name, dir) => readDataset(b, big(datasets[dir === "good" ? name : name.startsWith("opening") ? "opening-sample.txt" : "manifest-sample.txt"]!)),
  streammap: (b, name, dir) => {
    if (!provesMap(parseMapProof(b), parseHash(roots[`${dir}/${name}`]!))) throw new FormatError("it leads to another root");
  },
  receipt: (b, name) => void (name.startsWith("trust-") ? parseTrust(b) : parseReceipt(b)),
};

for (const [pkg, reader] of Object.entries(readers)) {
  test(`${pkg}: every good vector is accepted`, () => {
    for (const [name, b] of vectors(pkg, "good")) assert.doesNotThrow(() => reader(b, name, "good"), name);
  });

  test(`${pkg}: every bad vector is refused`, () => {
    const why = reasons(pkg);
    const files = vectors(pkg, "bad");
    assert.equal(files.length, Object.keys(why).length);
    for (const [name, b] of files) {
      if (name.startsWith("verify-")) continue; // well formed; receipt.vectors.test.ts refuses them at their step
      assert.throws(() => reader(b, name, "bad"), FormatError, `${name}: ${why[name]}`);
    }
  });
}

test("a marker inside a part cannot be told from a part, and is none with blanks", () => {
  const parse = (s: string) => parseArchive(new TextEncoder().encode(s), "x@v1", 1000);
  assert.deepEqual(parse("x@v1\n-- one --\n1\n-- two --\n"), [{ name: "one", text: "1\n" }, { name: "two", text: "" }]);
  for (const bad of ["x@v2\n-- one --\n", "x@v1\nhello\n-- one --\n", "x@v1\n-- one --\n-- one --\n", "x@v1\n-- one --\n1", "x@v1\n-- one two --\n", "x@v1\n--  one --\n", "x@v1\r\n-- one --\r\n"]) {
    assert.throws(() => parse(bad), FormatError, bad);
  }
  assert.throws(() => decode(Uint8Array.of(0xff)), FormatError);
});
