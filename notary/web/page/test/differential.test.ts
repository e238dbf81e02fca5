// Two independent verifiers agree: receipts, trust files and histories changed at
// random get the same verdict, refused at the same step, from the Go program and from
// the page's code.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { receiptVersion } from "../src/evidence/receipt.ts";
import { FormatError, undoTravel } from "../src/format/text.ts";
import { type Trust, parseTrust } from "../src/format/trust.ts";
import { notary, read } from "./files.ts";
import { Mutator } from "./mutator.ts";
import { mutations, run, seed } from "./program.ts";
import { ourHistory, ourReceipt, theirHistory, theirReceipt, type HistorySaid, type Said } from "./said.ts";

const sample = join(notary, "receipt/testdata/sample");
const trustFile = join(sample, "acme.trust");

test(`${mutations} changed receipts, seed ${seed}`, { timeout: 1_200_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), "mutations-"));
  const good = readdirSync(sample).filter((n) => n.endsWith(".receipt")).map((n) => read("receipt/testdata/sample", n));
  const m = new Mutator(seed, good);
  for (let i = 0; i < mutations; i++) writeFileSync(join(dir, `${i}.receipt`), i < good.length ? good[i]! : m.receipt());
  const out = JSON.parse(run("verify", dir, "--json", "--trust", trustFile)) as { receipts: Said[]; not_checked?: { file: string }[] };
  assert.equal(out.receipts.length + (out.not_checked?.length ?? 0), mutations);
  const trust = parseTrust(read("receipt/testdata/sample/acme.trust"));
  const steps = new Map<string, number>();
  for (const s of out.receipts) {
    const mine = await ourReceipt(s.file, trust);
    assert.deepEqual(mine, theirReceipt(s), `seed ${seed}, ${s.file}`);
    const step = mine.failed ?? mine.verdict;
    steps.set(step, (steps.get(step) ?? 0) + 1);
  }
  // What no longer begins as a receipt is not looked at by the program.
  for (const { file } of out.not_checked ?? []) {
    assert.notEqual(new TextDecoder().decode(undoTravel(new Uint8Array(readFileSync(file))).bytes).split("\n")[0], receiptVersion, `seed ${seed}, ${basename(file)}`);
    assert.equal((await ourReceipt(file, trust)).failed, "container");
  }
  console.log(steps);
  for (const step of ["verified", "container", "parts", "checkpoints", "inclusion", "entry", "authority"]) assert.ok(steps.has(step), `no change was refused at ${step}`);
});

test("changed trust files", { timeout: 600_000 }, async () => {
  const dir = mkdtempSync(join(tmpdir(), "trusts-"));
  const receipt = join(sample, "site1b.receipt");
  const m = new Mutator(seed + 1, [read("receipt/testdata/sample/acme.trust")]);
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
