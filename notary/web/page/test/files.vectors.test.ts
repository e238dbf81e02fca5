// Files at hand against files that were sealed, and zips that lie.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { strToU8, unzipSync, zipSync } from "fflate";
import { type Given, compareFiles, isWhole } from "../src/files/compare.ts";
import { addFiles, emptyDesk } from "../src/files/desk.ts";
import { ZipError, readZip } from "../src/files/zip.ts";
import type { File as Sealed } from "../src/format/manifest.ts";
import { read } from "./files.ts";

const digest = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest("hex");
const sealed = (path: string, text: string): Sealed => ({ path, size: BigInt(Buffer.byteLength(text)), sha256: digest("sha256", text), sha512: digest("sha512", text) });
const given = (path: string, text: string, loose = !path.includes("/")): Given => ({ path, file: new File([text], path.split("/").at(-1)!), loose });
const hash = async (f: File) => {
  const text = await f.text();
  return { sha256: digest("sha256", text), sha512: digest("sha512", text) };
};
const compare = (s: Sealed[], data: Given[], own: Given[] = []) => compareFiles(s, data, own, hash, () => undefined);

const three = [sealed("a.csv", "a"), sealed("lab/b.csv", "bb"), sealed("readme.txt", "ccc")];

test("a folder is compared whatever it is called and wherever it lies", async () => {
  for (const above of ["", "export/", "usb/stick/export/"]) {
    const c = await compare(three, [given(`${above}a.csv`, "a", false), given(`${above}lab/b.csv`, "bb"), given(`${above}readme.txt`, "ccc", false)]);
    assert.ok(isWhole(c) && c.matched.length === 3, above);
  }
});

test("a loose file is found by the end of its sealed path, if that is one", async () => {
  const c = await compare(three, [given("b.csv", "bb")]);
  assert.ok(isWhole(c) && c.partial);
  assert.deepEqual(c.matched, ["lab/b.csv"]);
  const two = await compare([...three, sealed("x/b.csv", "other")], [given("b.csv", "other")]);
  assert.deepEqual(two.renamed, [{ sealed: "x/b.csv", given: "b.csv" }], "of two only the bytes tell");
});

test("each way in which files differ is told", async () => {
  const c = await compare(three, [given("d/a.csv", "A"), given("d/lab/b.csv", "longer"), given("d/moved.txt", "ccc"), given("d/notes.txt", "n")]);
  assert.deepEqual(c.changed.map((x) => [x.sealed.path, x.why]), [["lab/b.csv", "size"], ["a.csv", "bytes"]]);
  assert.deepEqual(c.renamed, [{ sealed: "readme.txt", given: "d/moved.txt" }]);
  assert.deepEqual(c.extra, ["d/notes.txt"]);
  assert.ok(!isWhole(c));
  const missing = await compare(three, [given("d/a.csv", "a")]);
  assert.deepEqual(missing.missing, ["lab/b.csv", "readme.txt"]);
  assert.ok(!isWhole(missing));
  assert.ok(!isWhole(await compare(three, [given("notes.txt", "n")])), "a loose stranger");
});

test("one digest of two is not enough", async () => {
  const s = { ...sealed("a.csv", "a"), sha512: digest("sha512", "b") };
  assert.deepEqual((await compare([s], [given("a.csv", "a")])).changed.map((x) => x.why), ["bytes"]);
});

test("names are compared in Unicode normalisation form C", async () => {
  const desk = await addFiles(emptyDesk(), [{ ...given("e\u0301te\u0301.csv", "a"), path: "e\u0301te\u0301.csv".normalize("NFC") }]);
  assert.ok(isWhole(await compare([sealed("\u00e9t\u00e9.csv", "a")], desk.data)));
});

test("evidence that was itself sealed counts, and only where it was", async () => {
  const own = [given("export/old.receipt", "r"), given("site1.receipt", "s")];
  const c = await compare([...three, sealed("old.receipt", "r")], [given("export/a.csv", "a", false), given("export/lab/b.csv", "bb"), given("export/readme.txt", "ccc", false)], own);
  assert.ok(isWhole(c) && c.matched.length === 4 && c.extra.length === 0);
});

test("a zip that says less than it holds, or holds too much, is refused", () => {
  const text = strToU8("trialnotary/receipt@v1\n".repeat(10_000));
  const zip = zipSync({ "a.receipt": text });
  const view = new DataView(zip.buffer), end = zip.length - 22, directory = view.getUint32(end + 16, true);
  view.setUint32(directory + 24, 10, true); // the size it says, in the central directory
  const lies = (() => {
    try {
      return readZip(zip).members;
    } catch (e) {
      assert.ok(e instanceof ZipError);
      return [];
    }
  })();
  for (const m of lies) assert.ok(m.bytes.length <= 10);
  view.setUint32(directory + 24, 0x7fffffff, true);
  assert.throws(() => readZip(zip), (e: unknown) => e instanceof ZipError && e.code === "zipTooLarge");
  assert.throws(() => readZip(new Uint8Array(1000)), ZipError);
});

test("the same evidence twice is on the desk once", async () => {
  const receipt = given("a.receipt", "trialnotary/receipt@v1\n");
  const desk = await addFiles(await addFiles(emptyDesk(), [receipt]), [{ ...receipt, path: "b.receipt" }]);
  assert.equal(desk.receipts.length, 1);
});

test("a kit is read as the program made it, and not once a part of it is another", async () => {
  const kit = read("kit/testdata/sample/kit.zip");
  const { members, others } = readZip(kit);
  assert.deepEqual(members.map((m) => m.kind).sort(), ["history", ...Array(8).fill("receipt"), "trust"]);
  assert.equal(others, 4 + 8, "the list, two texts, the page, and eight statements");
  const desk = await addFiles(emptyDesk(), [{ path: "kit.zip", file: new File([kit as BlobPart], "kit.zip"), loose: true }]);
  assert.deepEqual([desk.receipts.length, desk.histories.length, desk.trusts.length, desk.problems.length], [8, 1, 1, 0]);

  const refused = (code: string, zip: Uint8Array) => assert.throws(() => readZip(zip), (e: unknown) => e instanceof ZipError && e.code === code, code);
  const parts = unzipSync(kit), some = Object.keys(parts).find((n) => n.endsWith(".receipt"))!;
  const { [some]: receipt, ...rest } = parts;
  refused("kitDamaged", zipSync(rest));
  refused("kitDamaged", zipSync({ ...parts, [some]: new Uint8Array([...receipt!, 0x0a]) }));
  refused("kitDamaged", zipSync({ ...parts, "receipts/x/00000001-note.receipt": receipt! }));
  refused("kitDamaged", zipSync({ ...parts, "README.txt": strToU8("another") }));
  const { SHA256SUMS: _, ...unlisted } = parts;
  assert.equal(readZip(zipSync(unlisted)).members.length, 10, "without its list it is a zip like any other");
  for (const name of ["../a.receipt", "a/../../b.receipt", "/a.receipt", "a\\b.receipt"]) refused("zipOdd", zipSync({ [name]: receipt! }));
  refused("zipTooLarge", zipSync({ "a.history": new Uint8Array(8 << 20) }));
});

test("of a name that a zip holds twice, neither is read", () => {
  const zip = zipSync({ "a.receipt": strToU8("trialnotary/receipt@v1\n"), "b.receipt": strToU8("another\n") }, { level: 0 });
  const twice = new TextDecoder("latin1").decode(zip).replaceAll("b.receipt", "a.receipt");
  assert.throws(() => readZip(Uint8Array.from(twice, (c) => c.charCodeAt(0))), (e: unknown) => e instanceof ZipError && e.code === "zipOdd");
});
