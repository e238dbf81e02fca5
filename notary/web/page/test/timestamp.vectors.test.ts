// RFC 3161 tokens made by OpenSSL: good ones as of their own time, though their
// certificates have expired since; bad ones prove nothing and take nothing away.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { verifyTimestamps } from "../src/evidence/timestamp.ts";
import { verifyReceipt } from "../src/evidence/verify.ts";
import { type Trust, parseTrust } from "../src/format/trust.ts";
import { encode } from "../src/format/text.ts";
import { parseBase64 } from "../src/format/value.ts";
import { read } from "./files.ts";

const dir = "test/data/timestamp/";
const text = (name: string): string => readFileSync(dir + name, "utf8");
const token = (name: string): Uint8Array => parseBase64(text(`${name}.txt`).trimEnd());
const checkpoint = new Uint8Array(readFileSync(dir + "sample.checkpoint"));

/** The sample's trust file with other timestamp authorities. */
function trusting(pem: string): Trust {
  const t = new TextDecoder().decode(read("receipt/testdata/sample/acme.trust"));
  return parseTrust(encode(t.replace(/-- tsa\.pem --\n[^]*?(?=-- |$)/, `-- tsa.pem --\n${pem}`)));
}

const problems: Record<string, string> = {
  "bad-imprint": "otherImprint", "bad-certificate-expired-before": "signature", "bad-root": "signature", "bad-purpose": "purpose",
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
