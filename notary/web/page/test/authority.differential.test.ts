// Two independent readings of who may sign what, and when: random trials, sealed by
// an operator who lets everything in, get the same verdict on every statement.

import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { verifyHistory } from "../src/evidence/completeness.ts";
import { encode } from "../src/format/text.ts";
import { parseTrust } from "../src/format/trust.ts";
import { run, seed, trials } from "./program.ts";
import { ourHistory, ourReceipt, theirHistory, theirReceipt, type HistorySaid, type Said } from "./said.ts";
import { randomTrial } from "./trial.ts";

test(`${trials} random trials, seed ${seed}`, { timeout: 1_800_000 }, async () => {
  const states = new Map<string, number>(), steps = new Map<string, number>();
  const count = (m: Map<string, number>, k: string) => m.set(k, (m.get(k) ?? 0) + 1);
  for (let i = 0; i < trials; i++) {
    const name = `${seed}-${i}`, t = randomTrial(name), w = t.world;
    const dir = mkdtempSync(join(tmpdir(), "trial-"));
    const trustText = w.trust(t.sponsor), trust = parseTrust(encode(trustText)), trustFile = join(dir, "random.trust");
    writeFileSync(trustFile, trustText);

    const shut = i % 3 === 2;
    const history = encode(w.history(t.streams, (s) => shut && s.stream !== "registration" && w.below(5) === 0)), file = join(dir, "random.history");
    writeFileSync(file, history);
    const mine = await ourHistory(history, trust);
    assert.deepEqual(mine, theirHistory(JSON.parse(run("verify", file, "--json", "--trust", trustFile)) as HistorySaid), `trial ${name}`);
    assert.equal(mine.verdict, "verified", `trial ${name}`);
    for (const e of mine.streams!.flatMap((s) => s.entries!)) count(states, e.state);

    // Receipts with grants that may be the right ones, of every statement of the sites.
    const verdict = await verifyHistory(history, { trust, confirmed: true, now: 0 });
    const receipts = mkdtempSync(join(dir, "receipts-"));
    for (const s of w.sealed.filter((s) => s.stream !== "registration")) {
      const item = verdict.streams.flatMap((x) => x.items).find((x) => x.entry.statement === s.id && Number(x.entry.index) === s.index);
      const right = t.grants.filter((g) => item?.grant?.statement === g.id);
      const grants = right.length > 0 && w.below(4) > 0 ? right : [w.pick(t.grants)];
      if (w.below(3) === 0) grants.push(w.pick(t.grants));
      writeFileSync(join(receipts, `${s.index}.receipt`), w.receipt(s, [...new Set(grants)], w.sealed[0]!));
    }
    const out = JSON.parse(run("verify", receipts, "--json", "--trust", trustFile)) as { receipts: Said[] };
    for (const said of out.receipts) {
      const ours = await ourReceipt(said.file, trust);
      assert.deepEqual(ours, theirReceipt(said), `trial ${name}, ${said.file}`);
      count(steps, ours.failed ?? ours.verdict);
    }
  }
  console.log(states, steps);
  for (const state of ["valid", "invalid", "closed", "undecided"]) assert.ok(states.has(state), `no statement was ${state}`);
  for (const step of ["verified", "authority", "signature", "entry"]) assert.ok(steps.has(step), `no receipt was refused at ${step}`);
});
