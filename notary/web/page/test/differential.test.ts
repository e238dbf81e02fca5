// Two independent verifiers agree: receipts, trust files and histories changed at
// random get the same verdict, refused at the same step, from the Go program and from
// the page's code.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { receiptVersion } from "../src/evidence/receipt.ts";
import { CertificateError, attachedReceipt } from "../src/files/certificate.ts";
import { FormatError, undoTravel } from "../src/format/text.ts";
import { type Trust, parseTrust } from "../src/format/trust.ts";
import { notary, read } from "./files.ts";
import { Mutator } from "./mutator.ts";
import { mutations, run, seed } from "./program.ts";
import { ourHistory, ourReceipt, theirHistory, theirReceipt, type HistorySaid, type Said } from "./said.ts";

const sample = join(notary, "receipt/testdata/sample");
const trustFile = join(sample, "acme.trust");

const withoutStamps = ({ no_later_than, time_stamp_authority, time_stamps_renewed, ...s }: Said): Omit<Said, "no_later_than"> => s;

/**
 * What both say of a folder of receipts, which is the same; the steps at which they
 * refuse. strict: no token proves anything to the page that it does not prove to the
 * program, which reads on where the page does not in what no signature covers.
 */
async function compare(dir: string, trustFile: string, strict = false): Promise<Map<string, number>> {
  const out = JSON.parse(run("verify", dir, "--json", "--trust", trustFile)) as { receipts: Said[]; not_checked?: { file: string }[] };
  assert.equal(out.receipts.length + (out.not_checked?.length ?? 0), readdirSync(dir).length);
  const trust = parseTrust(new Uint8Array(readFileSync(trustFile)));
  const steps = new Map<string, number>();
  for (const s of out.receipts) {
    const mine = await ourReceipt(s.file, trust);
    const theirs = theirReceipt(s), refused = strict && !mine.time_stamp_authority;
    assert.deepEqual(refused ? withoutStamps(mine) : mine, refused ? withoutStamps(theirs) : theirs, `seed ${seed}, ${s.file}`);
    const step = mine.failed ?? mine.verdict;
    steps.set(step, (steps.get(step) ?? 0) + 1);
    if (mine.time_stamp_authority) steps.set("stamped", (steps.get("stamped") ?? 0) + 1);
  }
  // What no longer begins as a receipt is not looked at by the program.
  for (const { file } of out.not_checked ?? []) {
    assert.notEqual(new TextDecoder().decode(undoTravel(new Uint8Array(readFileSync(file))).bytes).split("\n")[0], receiptVersion, `seed ${seed}, ${basename(file)}`);
    assert.equal((await ourReceipt(file, trust)).failed, "container");
  }
  console.log(steps);
  return steps;
}

test(`${mutations} changed receipts, seed ${seed}`, { timeout: 1_200_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), "mutations-"));
  const good = readdirSync(sample).filter((n) => n.endsWith(".receipt")).map((n) => read("receipt/testdata/sample", n));
  const m = new Mutator(seed, good);
  for (let i = 0; i < mutations; i++) writeFileSync(join(dir, `${i}.receipt`), i < good.length ? good[i]! : m.receipt());
  const steps = await compare(dir, trustFile);
  for (const step of ["verified", "container", "parts", "checkpoints", "inclusion", "entry", "authority"]) assert.ok(steps.has(step), `no change was refused at ${step}`);
});

test("receipts with time-stamps and renewals, and changed ones", { timeout: 1_200_000 }, async () => {
  const renewed = join(notary, "receipt/testdata/renewed"), dir = mkdtempSync(join(tmpdir(), "renewed-"));
  const good = readdirSync(renewed).filter((n) => n.endsWith(".receipt")).map((n) => read("receipt/testdata/renewed", n));
  const m = new Mutator(seed + 3, good);
  good.forEach((b, i) => writeFileSync(join(dir, `${i}.receipt`), b));
  for (let i = 0; i < mutations / 2; i++) writeFileSync(join(dir, `changed-${i}.receipt`), m.receipt());
  assert.ok((await compare(dir, join(renewed, "renewed.trust"), true)).get("stamped")! > 0);
});

test("tokens of every kind, and changed ones", { timeout: 1_200_000 }, async () => {
  const data = "test/data/timestamp/", text = (name: string): string => readFileSync(data + name, "utf8"), dir = mkdtempSync(join(tmpdir(), "tokens-"));
  const trust = join(mkdtempSync(join(tmpdir(), "trust-")), "tokens.trust");
  writeFileSync(trust, readFileSync(trustFile, "utf8").replace(/-- tsa\.pem --\n[^]*?(?=-- |$)/, `-- tsa.pem --\n${text("root.pem")}`));
  const receipt = readFileSync(join(sample, "site1.receipt"), "utf8");
  const put = (name: string, token: string): void => writeFileSync(join(dir, `${name}.receipt`), receipt.replace("-- grant-1 --", `-- timestamp-1.tsr --\n${token}-- grant-1 --`));
  const names = readdirSync(data).filter((n) => n.endsWith(".txt"));
  names.forEach((n) => put(n, text(n)));
  const m = new Mutator(seed + 4, ["good.txt", "good-rsa.txt"].map((n) => new Uint8Array(Buffer.from(text(n), "base64"))));
  for (let i = 0; i < mutations / 2; i++) put(`changed-${i}`, `${Buffer.from(m.file()).toString("base64")}\n`);
  assert.ok((await compare(dir, trust, true)).get("stamped")! >= 2);
});

test("changed certificates", { timeout: 600_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), "certificates-")), trust = parseTrust(new Uint8Array(readFileSync(trustFile)));
  const m = new Mutator(seed + 5, [read("certificate/testdata/site1b.pdf")]);
  let refused = 0;
  for (let i = 0; i < Math.ceil(mutations / 10); i++) {
    const b = i === 0 ? read("certificate/testdata/site1b.pdf") : m.file(), file = join(dir, `${i}.pdf`), taken = join(dir, `${i}.receipt`);
    writeFileSync(file, b);
    const out = run("verify", file, "--json", "--trust", trustFile);
    const said = out === "" ? undefined : (JSON.parse(out) as Said);
    const mine = await attachedReceipt(b).catch((e: unknown) => {
      assert.ok(e instanceof CertificateError, String(e));
      return undefined;
    });
    if (!mine) refused++;
    if (!said?.verdict) assert.equal(mine, undefined, `seed ${seed}, ${file}: only the page reads it`);
    else {
      assert.ok(mine, `seed ${seed}, ${file}: only the program reads it`);
      writeFileSync(taken, mine);
      assert.deepEqual({ ...(await ourReceipt(taken, trust)), file }, theirReceipt(said), `seed ${seed}, ${file}`);
    }
  }
  assert.ok(refused > 0);
});

test("changed trust files", { timeout: 600_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), "trusts-"));
  const receipt = join(sample, "site1b.receipt");
  const judged = readdirSync(join(notary, "receipt/testdata/judged")).filter((n) => n.endsWith(".trust"));
  const m = new Mutator(seed + 1, [read("receipt/testdata/sample/acme.trust"), ...judged.map((n) => read("receipt/testdata/judged", n))]);
  for (let i = 0; i < Math.ceil(mutations / 10); i++) {
    const file = join(dir, `${i}.trust`);
    writeFileSync(file, m.trust());
    const out = run("verify", receipt, "--json", "--trust", file);
    let trust: Trust | undefined;
    try {
      trust = parseTrust(undoTravel(new Uint8Array(readFileSync(file))).bytes);
    } catch (e) {
      assert.ok(e instanceof FormatError);
    }
    const said = out === "" ? undefined : (JSON.parse(out) as Said);
    if (!said || said.verdict === undefined) assert.equal(trust, undefined, `seed ${seed}, ${file}: only the page reads it`);
    else {
      assert.ok(trust, `seed ${seed}, ${file}: only the program reads it`);
      assert.deepEqual(await ourReceipt(receipt, trust), theirReceipt(said), `seed ${seed}, ${file}`);
    }
  }
});

test("changed histories", { timeout: 1_200_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), "histories-"));
  const good = ["whole", "shut", "early"].map((n) => read("history/testdata/sample", `${n}.history`));
  const m = new Mutator(seed + 2, good);
  const trust = parseTrust(read("receipt/testdata/sample/acme.trust"));
  const steps = new Map<string, number>();
  for (let i = 0; i < Math.ceil(mutations / 4); i++) {
    const b = i < good.length ? good[i]! : m.history();
    const file = join(dir, `${i}.history`);
    writeFileSync(file, b);
    const mine = await ourHistory(b, trust);
    const out = run("verify", file, "--json", "--trust", trustFile);
    const said = out === "" ? undefined : (JSON.parse(out) as HistorySaid);
    // What no longer begins as a history is not looked at by the program.
    if (!said?.verdict) assert.equal(mine.failed, "container", `seed ${seed}, ${file}`);
    else assert.deepEqual(mine, theirHistory(said), `seed ${seed}, ${file}`);
    const step = mine.failed ?? mine.verdict;
    steps.set(step, (steps.get(step) ?? 0) + 1);
  }
  console.log(steps);
  for (const step of ["verified", "container", "parts", "entries", "statements"]) assert.ok(steps.has(step), `no change was refused at ${step}`);
});

test("a whole trial's history, made by the program", async () => {
  const [file, trustFile] = ["trial.history", "story.trust"].map((n) => join(notary, "history/testdata/story", n)) as [string, string];
  const trust = parseTrust(new Uint8Array(readFileSync(trustFile)));
  assert.deepEqual(await ourHistory(new Uint8Array(readFileSync(file)), trust), theirHistory(JSON.parse(run("verify", file, "--json", "--trust", trustFile)) as HistorySaid));
});
