// Why bytes differ: the cases of notary/explain.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { createSHA256, createSHA512 } from "hash-wasm";
import { type Hashes, type Pass, explain } from "../src/explain/explain.ts";
import { type Finding, saysTheSame } from "../src/explain/finding.ts";
import { read, readJSON } from "./files.ts";

interface Case extends Finding {
  readonly path: string;
  readonly sealed: string; // base64, or the name of a vector of notary/content
  readonly given: string;
  readonly content: string;
}

const pair = async () => ({ sha256: await createSHA256(), sha512: await createSHA512() });
const hashes: Hashes = { whole: await pair(), before: await pair(), content: [await createSHA256(), await createSHA256()] };

const bytesOf = (s: string): Uint8Array => (s.startsWith("file:") ? read("content/testdata/vectors", s.slice(5)) : new Uint8Array(Buffer.from(s, "base64")));
const inChunks = (b: Uint8Array, chunk: number): Pass => async (limit, take) => {
  for (let i = 0; i < limit; i += chunk) take(b.subarray(i, Math.min(i + chunk, limit)));
  return true;
};
const digest = (algorithm: string, b: Uint8Array): string => createHash(algorithm).update(b).digest("hex");

const cases = readJSON<Case[]>("explain/testdata/vectors/cases.json");
const profiles: Record<string, string> = { xpt: "xpt5/v1", json: "dataset-json/v1", csv: "csv/v1" };

test("every case is explained as the program explains it", async () => {
  assert.ok(cases.length > 30);
  for (const c of cases) {
    const sealed = bytesOf(c.sealed), given = bytesOf(c.given);
    const content = c.content === "" ? undefined : { profile: profiles[c.path.split(".").at(-1)!]!, sha256: c.content };
    const line = { size: sealed.length, sha256: digest("sha256", sealed), sha512: digest("sha512", sealed), content };
    for (const chunk of [1, 3, 1 << 20]) {
      const { cause, changes, binary, profile, more } = (await explain(line, given.length, inChunks(given, chunk), hashes))!;
      assert.deepEqual({ cause, changes, binary, profile, more }, { cause: c.cause, changes: c.changes, binary: c.binary, profile: c.profile, more: c.more }, `${c.path} ${c.given.slice(0, 40)} in chunks of ${chunk}`);
    }
  }
});

test("other data and a damaged file never say the same", () => {
  for (const c of cases) assert.equal(saysTheSame(c), c.cause === "as-sealed" || c.cause === "same-data" || (c.cause === "rewritten" && !c.binary), c.path);
});

test("a file that cannot be read is not explained", async () => {
  assert.equal(await explain({ size: 1, sha256: "", sha512: "" }, 1, async () => false, hashes), undefined);
});

test("a profile of a later version proves nothing", async () => {
  const b = new TextEncoder().encode("b\n");
  assert.equal((await explain({ size: 2, sha256: "", sha512: "", content: { profile: "csv/v9", sha256: "" } }, 2, inChunks(b, 1), hashes))!.cause, "unknown");
});
