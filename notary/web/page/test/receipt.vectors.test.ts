// Receipts: the sample's verify with the verdict that Go's tests record, the bad
// vectors fail at their step.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Failure } from "../src/evidence/failure.ts";
import { isBefore, type Options, type Verdict } from "../src/evidence/verdict.ts";
import { verifyReceipt } from "../src/evidence/verify.ts";
import { parseTrust } from "../src/format/trust.ts";
import { undoTravel } from "../src/format/text.ts";
import { read, readJSON, reasons, vectors } from "./files.ts";

const sample = (name: string) => read("receipt/testdata/sample", name);
const now = Date.parse("2026-11-22T14:00:00Z") / 1000;
const trusting = (): Options => ({ trust: parseTrust(sample("acme.trust")), confirmed: true, now });
const names = ["registration", "enrolment", "protocol", "succession", "site1", "site1b", "site2", "site3"];

/** The step that refuses a receipt, or "verified". */
const stepOf = (b: Uint8Array, o: Options): Promise<string> =>
  verifyReceipt(b, o).then(() => "verified", (e: unknown) => {
    if (e instanceof Failure) return e.step;
    throw e;
  });

test("the sample's receipts verify", async () => {
  for (const name of names) {
    const v = await verifyReceipt(sample(`${name}.receipt`), trusting());
    assert.ok(v.confirmed && !v.unsigned && !v.pinned && v.sponsorListed, name);
    assert.equal(v.met?.of, 3, name);
    assert.ok(v.met?.noLaterThan, name);
    assert.equal(v.origin, "log.example/trials");
    assert.equal(v.registeredAs, "NCT01234567");
    assert.equal(v.after !== undefined, name === "site1b", name);
  }
});

test("good vectors verify, bad ones fail at their step", async () => {
  for (const [name, b] of vectors("receipt", "good")) if (!name.startsWith("trust-")) assert.equal(await stepOf(b, trusting()), "verified", name);
  for (const [name, b] of vectors("receipt", "bad")) {
    if (name.startsWith("verify-")) assert.equal(await stepOf(b, trusting()), reasons("receipt")[name]!.split(":")[0], name);
    if (name.startsWith("receipt-")) assert.equal(await stepOf(b, trusting()), "container", name);
  }
});

test("retired keys and algorithms count until their end", async () => {
  const cases = readJSON<{ trust: string; receipt: string; step: string; why: string }[]>("receipt/testdata/judged/cases.json");
  assert.ok(cases.length > 10);
  for (const c of cases) {
    const trust = parseTrust(read("receipt/testdata/judged", c.trust));
    assert.equal(await stepOf(sample(c.receipt), { trust, confirmed: true, now }), c.step, `${c.trust}: ${c.why}`);
  }
});

test("what mail does to a receipt is undone, and only where asked", async () => {
  for (const [name, b] of vectors("receipt", "bad").filter(([n]) => /bom|crlf/.test(n))) {
    const { bytes, undone } = undoTravel(b);
    assert.equal(undone.length, 1, name);
    assert.equal(await stepOf(bytes, trusting()), "verified", name);
  }
});

test("without a trust file the verdict is unsigned, with a pin the fingerprint decides", async () => {
  const b = sample("site1.receipt");
  const v = await verifyReceipt(b, { confirmed: false, now });
  assert.ok(v.unsigned && !v.confirmed && v.noLaterThan === undefined);
  const pinned = await verifyReceipt(b, { ...trusting(), trial: v.trialFingerprint.toLowerCase().replaceAll("-", " ") });
  assert.ok(pinned.pinned);
  assert.equal(await stepOf(b, { ...trusting(), trial: "0".repeat(40) }), "registration");
});

test("order is the log's, not a clock's", async () => {
  const [a, b, c] = await Promise.all(["site1", "site2", "site1b"].map((n) => verifyReceipt(sample(`${n}.receipt`), trusting()))) as [Verdict, Verdict, Verdict];
  assert.ok(!isBefore(a, b) && !isBefore(b, a), "sealed together");
  assert.ok(isBefore(a, c) && !isBefore(c, a));
});

test("every changed byte of a receipt is refused, or takes a witness away", async () => {
  const b = sample("site1b.receipt");
  for (let i = 0; i < b.length; i += 97) {
    const changed = b.slice();
    changed[i]! ^= 1 << (i % 8);
    if ((await stepOf(changed, trusting())) !== "verified") continue;
    // A signature line of a key that the policy does not know counts for nothing.
    const line = b.subarray(b.lastIndexOf(0x0a, i - 1) + 1, b.indexOf(0x0a, i));
    assert.match(new TextDecoder().decode(line), /^— witness[0-9]/, `byte ${i}`);
  }
});
