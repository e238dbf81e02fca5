// RFC 3161 tokens made by OpenSSL: good ones as of their own time, though their
// certificates have expired since; bad ones prove nothing and take nothing away.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { type TimestampVerdict, verifyStamps } from "../src/evidence/timestamp.ts";
import type { Failure } from "../src/evidence/failure.ts";
import { verifyReceipt } from "../src/evidence/verify.ts";
import { type Trust, parseTrust } from "../src/format/trust.ts";
import { encode } from "../src/format/text.ts";
import { parseBase64 } from "../src/format/value.ts";
import { read, readJSON } from "./files.ts";

const dir = "test/data/timestamp/";
const text = (name: string): string => readFileSync(dir + name, "utf8");
const token = (name: string): Uint8Array => parseBase64(text(`${name}.txt`).trimEnd());
const checkpoint = new Uint8Array(readFileSync(dir + "sample.checkpoint"));

/** The sample's trust file with other timestamp authorities. */
function trusting(pem: string): Trust {
  const t = new TextDecoder().decode(read("receipt/testdata/sample/acme.trust"));
  return parseTrust(encode(t.replace(/-- tsa\.pem --\n[^]*?(?=-- |$)/, `-- tsa.pem --\n${pem}`)));
}

const now = Date.parse("2027-01-01T00:00:00Z") / 1000;

/** Tokens over the sample's checkpoint, without renewals. */
const verifyTimestamps = async (timestamps: Uint8Array[], checkpoint: Uint8Array, trust: Trust | undefined): Promise<TimestampVerdict[]> =>
  (await verifyStamps({ timestamps, checkpoint, renewals: [] }, trust, now)).timestamps;

const problems: Record<string, string> = {
  "bad-imprint": "otherImprint", "bad-certificate-expired-before": "signature", "bad-root": "signature", "bad-purpose": "purpose",
  "bad-digest-sha1": "signature", "bad-name-sha1": "signature", "bad-without-certificate": "form", "bad-many-certificates": "form", "bad-version": "form",
};

test("good tokens prove their time", async () => {
  for (const name of ["good", "good-rsa"]) {
    const [v] = await verifyTimestamps([token(name)], checkpoint, trusting(text("root.pem")));
    assert.equal(v!.problem, undefined, name);
    assert.equal(v!.authority, name === "good" ? "ec" : "rsa");
    assert.ok(Math.abs(v!.at! - Date.parse("2026-11-22T19:10:00Z") / 1000) < 7 * 86400, `${name}: ${v!.at}`);
  }
});

test("bad tokens prove nothing, each for its reason", async () => {
  const names = readdirSync(dir).filter((n) => n.startsWith("bad-")).map((n) => n.replace(".txt", ""));
  assert.deepEqual(names.sort(), Object.keys(problems).sort());
  for (const name of names) assert.deepEqual(await verifyTimestamps([token(name)], checkpoint, trusting(text("root.pem"))), [{ problem: problems[name] }], name);
  assert.deepEqual(await verifyTimestamps([token("good")], checkpoint, trusting("")), [{ problem: "noRoots" }]);
  assert.deepEqual(await verifyTimestamps([token("good")], checkpoint, undefined), [{ problem: "noRoots" }]);
  const loose = token("good-rsa"); // a length that is none, in what no signature covers
  loose[59]! -= 8;
  assert.deepEqual(await verifyTimestamps([loose], checkpoint, trusting(text("root.pem"))), [{ problem: "form" }]);
  assert.deepEqual(await verifyTimestamps([new Uint8Array(70_000)], checkpoint, trusting(text("root.pem"))), [{ problem: "tooMany" }]);
});

test("no changed byte of a token proves another time", async () => {
  const good = token("good"), trust = trusting(text("root.pem"));
  const [{ at } = {}] = await verifyTimestamps([good], checkpoint, trust);
  for (let i = 0; i < good.length; i++) {
    const changed = good.slice();
    changed[i]! ^= 1 << (i % 8);
    const [v] = await verifyTimestamps([changed], checkpoint, trust);
    // What no signature covers, such as how a length is written, may change.
    assert.ok(v!.at === undefined || v!.at === at, `byte ${i}`);
  }
});

test("in a receipt the earliest proved time counts", async () => {
  const receipt = new TextDecoder().decode(read("receipt/testdata/sample/site1.receipt"));
  const stamped = receipt.replace("-- grant-1 --", `-- timestamp-1.tsr --\n${text("bad-root.txt")}-- timestamp-2.tsr --\n${text("good.txt")}-- grant-1 --`);
  const o = { confirmed: true, now: Date.parse("2027-01-01T00:00:00Z") / 1000 };
  const v = await verifyReceipt(encode(stamped), { ...o, trust: trusting(text("root.pem")) });
  assert.deepEqual([v.noLaterThan?.by, v.noLaterThan?.name, v.noLaterThan?.at], ["tsa", "ec", v.timestamps[1]!.at]);
  assert.equal(v.timestamps[0]!.problem, "signature");
  const without = await verifyReceipt(encode(stamped), { ...o, trust: trusting("") });
  assert.equal(without.noLaterThan?.by, "witnesses");
});

interface Renewed { receipt: string; now: string; what: string; stamps: string[]; renewals: string[]; vouched: string }

test("a renewal keeps what it is over, and nothing else", async () => {
  const dir = ["receipt", "testdata/renewed"], trust = parseTrust(read(...dir, "renewed.trust"));
  const all = readJSON<Renewed[]>(...dir, "renewed.json");
  assert.ok(all.length > 10);
  for (const want of all) {
    const name = `${want.receipt}, ${want.what}, at ${want.now}`;
    const v = await verifyReceipt(read(...dir, want.receipt), { trust, confirmed: true, now: Date.parse(want.now) / 1000 });
    assert.deepEqual(v.timestamps.map((t) => t.problem ?? ""), want.stamps, name);
    assert.deepEqual(v.renewals.map((t) => t.problem ?? ""), want.renewals, name);
    assert.deepEqual([v.noLaterThan?.by, v.noLaterThan?.name], want.vouched === "" ? ["witnesses", ""] : ["tsa", want.vouched], name);
  }
});

test("where no witness proves a time, the log's algorithms count as of the renewal", async () => {
  const dir = ["receipt", "testdata/renewed"], text = new TextDecoder().decode(read(...dir, "renewed.trust"));
  // The same log, of whose signatures the policy asks for its own alone.
  const log = parseTrust(encode(text.replace(/group both[^]*?(?=-- auditors)/, "quorum log.example/trials\n").replace(/group ws.*\n/, "").replace("ecdsa-p256 2035-01-01T00:00:00Z\n", "ecdsa-p256 2035-01-01T00:00:00Z\nml-dsa-44 2035-01-01T00:00:00Z\n")));
  const verdict = (name: string) => verifyReceipt(read(...dir, name), { trust: log, confirmed: true, now: Date.parse("2040-01-01T00:00:00Z") / 1000 }).then(() => "verified", (e: Failure) => e.step);
  assert.equal(await verdict("once.receipt"), "verified");
  assert.equal(await verdict("stamped.receipt"), "checkpoints");
  assert.equal(await verdict("late.receipt"), "checkpoints");
});
