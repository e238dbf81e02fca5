// Histories: the sample's are complete, and every entry taken away is missed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { verifyHistory } from "../src/evidence/completeness.ts";
import { Failure } from "../src/evidence/failure.ts";
import type { Options } from "../src/evidence/verdict.ts";
import { parseTrust } from "../src/format/trust.ts";
import { read } from "./files.ts";

const sample = (name: string) => read("history/testdata/sample", name);
const now = Date.parse("2026-11-22T14:00:00Z") / 1000;
const trusting = (): Options => ({ trust: parseTrust(sample("acme.trust")), confirmed: true, now });
const text = (b: Uint8Array) => new TextDecoder().decode(b);
const bytes = (s: string) => new TextEncoder().encode(s);

const stepOf = (b: Uint8Array): Promise<string> =>
  verifyHistory(b, trusting()).then(() => "verified", (e: unknown) => {
    if (e instanceof Failure) return e.step;
    throw e;
  });

test("the sample's histories are complete, as an auditor vouches", async () => {
  const whole = await verifyHistory(sample("whole.history"), trusting());
  assert.ok(whole.wholeTrial && whole.confirmed && whole.auditors.length === 1);
  assert.deepEqual(whole.streams.map((s) => s.role), ["registration", "registration", "trial", "granted", "granted"]);
  const shut = await verifyHistory(sample("shut.history"), trusting());
  const early = await verifyHistory(sample("early.history"), trusting());
  assert.ok(shut.streams.some((s) => s.items.some((i) => i.state === "closed")));
  assert.ok(early.batch.number < whole.batch.number);
  assert.deepEqual(early.streams.map((s) => s.items.length).slice(3), [0, 0]);
});

test("a history with an entry taken away, changed or added is refused", async () => {
  const whole = text(sample("whole.history"));
  const entries = /-- 3\/entries --\n((?:.*\n){6})((?:.*\n){6})?/.exec(whole)!;
  assert.equal(await stepOf(bytes(whole.replace(entries[1]!, ""))), "entries");
  assert.equal(await stepOf(bytes(whole.replace(entries[1]!, entries[1]! + entries[1]!))), "entries");
  assert.equal(await stepOf(bytes(whole.replace(/(-- 3\/map-proof --\n[^]*?\ncount )([0-9]+)/, (_, a: string, n: string) => a + (Number(n) - 1)))), "map");
  assert.equal(await stepOf(bytes(whole.replace("-- 1/map-proof --", "-- 2/map-proof --"))), "container");
  assert.equal(await stepOf(bytes(whole.replace(/(-- 3\/statement-1 --\n[^]*?kind )dataset/, "$1report"))), "statements");
});

test("every changed byte of a history is refused, or takes a signature away", async () => {
  const b = sample("whole.history");
  for (let i = 0; i < b.length; i += 211) {
    const changed = b.slice();
    changed[i]! ^= 1 << (i % 8);
    if ((await stepOf(changed)) !== "verified") continue;
    // A signature line of a key that the trust file does not know counts for nothing.
    const line = text(b.subarray(b.lastIndexOf(0x0a, i - 1) + 1, b.indexOf(0x0a, i)));
    assert.match(line, /^— (witness[0-9]|log\.|auditor)/, `byte ${i}: ${line}`);
  }
});
