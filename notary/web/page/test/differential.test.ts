// Two independent verifiers agree: receipts changed at random get the same verdict,
// refused at the same step, from the Go program and from the page's code.
//
// TRIALNOTARY names the program, MUTATIONS how many receipts, SEED repeats a run.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { Failure } from "../src/evidence/failure.ts";
import { receiptVersion } from "../src/evidence/receipt.ts";
import type { Verdict } from "../src/evidence/verdict.ts";
import { verifyReceipt } from "../src/evidence/verify.ts";
import { FormatError, undoTravel } from "../src/format/text.ts";
import { type Trust, parseTrust } from "../src/format/trust.ts";
import { formatTime } from "../src/format/value.ts";
import { notary, read } from "./files.ts";
import { Mutator } from "./mutator.ts";

const program = process.env["TRIALNOTARY"];
const mutations = Number(process.env["MUTATIONS"] ?? 500);
const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const sample = join(notary, "receipt/testdata/sample");
const trustFile = join(sample, "acme.trust");

/** What the program's --json says of a receipt, and all that is compared of it. */
interface Said {
  verdict: string;
  file: string;
  failed?: string;
  statement?: string; key?: string; signer?: string; enrolled_by?: string;
  no_later_than?: string; not_before?: string;
  witnesses: number; witnesses_of: number;
  index?: number; seq?: number; final_size?: number;
  trial_fingerprint?: string; trust_fingerprint?: string;
}

function run(...args: string[]): string {
  assert.ok(program, "TRIALNOTARY must name the program: go build -o … ./cmd/trialnotary");
  const home = mkdtempSync(join(tmpdir(), "home-"));
  try {
    return execFileSync(program, args, { encoding: "utf8", maxBuffer: 1 << 28, env: { PATH: process.env["PATH"], HOME: home, XDG_CONFIG_HOME: home, TRIALNOTARY_HOME: home }, stdio: ["ignore", "pipe", "pipe"] });
  } catch (e) {
    const { status, stdout } = e as { status: number; stdout: string };
    assert.ok([1, 2, 5].includes(status), `exit code ${status}: ${stdout}`);
    return stdout;
  }
}

const time = (s: number | undefined): string | undefined => (s === undefined ? undefined : formatTime(s));

function say(file: string, v: Verdict): Said {
  const said: Said = {
    verdict: v.confirmed ? "verified" : "unconfirmed", file, statement: v.statement.id, key: v.statement.keyName, enrolled_by: v.enroller,
    witnesses: v.met?.witnesses.length ?? 0, witnesses_of: v.met?.of ?? 0, index: Number(v.entry.index), seq: Number(v.entry.seq), final_size: Number(v.finalSize), trial_fingerprint: v.trialFingerprint,
  };
  if (v.statement.signer !== undefined) said.signer = v.statement.signer;
  if (v.met?.noLaterThan !== undefined) said.no_later_than = time(v.met.noLaterThan)!;
  if (v.after?.notBefore !== undefined) said.not_before = time(v.after.notBefore)!;
  return said;
}

async function ours(file: string, trust: Trust): Promise<Said> {
  const { bytes } = undoTravel(new Uint8Array(readFileSync(file)));
  try {
    return say(file, await verifyReceipt(bytes, { trust, confirmed: true, now: Math.floor(Date.now() / 1000) }));
  } catch (e) {
    if (e instanceof Failure) return { verdict: "not verified", failed: e.step, file, witnesses: 0, witnesses_of: 0 };
    throw e;
  }
}

/** The program's words, without what only it says. */
function theirs(s: Said): Said {
  const { verdict, file, failed, statement, key, signer, enrolled_by, no_later_than, not_before, witnesses, witnesses_of, index, seq, final_size, trial_fingerprint } = s;
  return JSON.parse(JSON.stringify({ verdict, file, failed, statement, key, signer, enrolled_by, no_later_than, not_before, witnesses, witnesses_of, index, seq, final_size, trial_fingerprint })) as Said;
}

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
    const mine = await ours(s.file, trust);
    assert.deepEqual(mine, theirs(s), `seed ${seed}, ${s.file}`);
    const step = mine.failed ?? mine.verdict;
    steps.set(step, (steps.get(step) ?? 0) + 1);
  }
  // What no longer begins as a receipt is not looked at by the program.
  for (const { file } of out.not_checked ?? []) {
    assert.notEqual(new TextDecoder().decode(undoTravel(new Uint8Array(readFileSync(file))).bytes).split("\n")[0], receiptVersion, `seed ${seed}, ${basename(file)}`);
    assert.equal((await ours(file, trust)).failed, "container");
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
      assert.deepEqual(await ours(receipt, trust), theirs(said), `seed ${seed}, ${file}`);
    }
  }
});
