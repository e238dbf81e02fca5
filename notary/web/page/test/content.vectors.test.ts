// Content digests: the vectors of notary/content, and chunks of any size.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createSHA256 } from "hash-wasm";
import { type Profile, newDigest } from "../src/content/content.ts";
import { notary, read, readJSON } from "./files.ts";

const [a, b] = await Promise.all([createSHA256(), createSHA256()]);
const dir = "content/testdata/vectors";

function digest(profile: Profile, bytes: Uint8Array, chunk: number): string | undefined {
  const d = newDigest(profile, a, b);
  for (let i = 0; i < bytes.length; i += chunk) d.write(bytes.subarray(i, i + chunk));
  return d.sum();
}

test("files that say the same have the digest that the vectors give", () => {
  const all = Object.entries(readJSON<Record<string, { profile: Profile; sha256: string }>>(dir, "good.json"));
  assert.ok(all.length > 30);
  for (const [name, want] of all) for (const chunk of [1, 79, 80, 4096, 1 << 20]) assert.equal(digest(want.profile, read(dir, name), chunk), want.sha256, `${name} in chunks of ${chunk}`);
});

test("a file that its profile does not read strictly has none", () => {
  const reasons = readJSON<Record<string, string>>(dir, "bad.json");
  const files = readdirSync(join(notary, dir, "bad"));
  assert.deepEqual(files.sort(), Object.keys(reasons).sort());
  const of: Record<string, Profile> = { xpt: "xpt5/v1", json: "dataset-json/v1", ndjson: "dataset-json/v1", csv: "csv/v1" };
  for (const name of files) for (const chunk of [1, 80, 1 << 20]) assert.equal(digest(of[name.split(".").at(-1)!]!, read(dir, "bad", name), chunk), undefined, `${name}: ${reasons[name]}`);
});
