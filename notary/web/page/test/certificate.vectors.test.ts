// The receipt out of a certificate that the program wrote, and out of no other PDF.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { zlibSync } from "fflate";
import { CertificateError, attachedReceipt } from "../src/files/certificate.ts";
import { notary } from "./files.ts";

const pdf = new Uint8Array(readFileSync(join(notary, "certificate/testdata/site1b.pdf")));
const receipt = new Uint8Array(readFileSync(join(notary, "receipt/testdata/sample/site1b.receipt")));
const latin = (b: Uint8Array): string => Buffer.from(b).toString("latin1");
const bytes = (s: string): Uint8Array => new Uint8Array(Buffer.from(s, "latin1"));

test("the receipt is taken out byte for byte", async () => {
  assert.deepEqual(await attachedReceipt(pdf), receipt);
});

test("a PDF that says nothing of itself is none", async () => {
  assert.equal(await attachedReceipt(bytes("%PDF-1.7\nhello\n%%EOF\n")), undefined);
});

const object = (length: number, size: number, packed: Uint8Array): string =>
  `<< /Type /EmbeddedFile /Length ${length} /Filter /FlateDecode /Params << /CheckSum <${"0".repeat(32)}> /Size ${size} >> >>\n\nstream\n${latin(packed)}\nendstream\n`;
const head = "%PDF-1.3\n%trialnotary/certificate@v1 00\n", eof = "%%EOF\n";
const z = zlibSync(receipt), n = receipt.length, good = latin(pdf);

test("the smallest that is read", async () => {
  assert.deepEqual(await attachedReceipt(bytes(head + object(z.length, n, z) + eof)), receipt);
});

const bomb = zlibSync(new Uint8Array(64 << 20));
for (const [what, bad] of Object.entries({
  "no attachment": head + eof,
  "two attachments": head + object(z.length, n, z) + object(z.length, n, z) + eof,
  "another filter": good.replace("/Filter /FlateDecode /Params", "/Filter /LZWDecode /Params"),
  "cut off": good.slice(0, good.length / 3),
  "something added": good + "1 0 obj\n<<>>\nendobj\n%%EOF\n",
  "longer than it says": head + object(z.length - 1, n, z) + eof,
  "shorter than it says": head + object(z.length + 1, n, z) + eof,
  "beyond its end": head + object(9999999, n, z) + eof,
  "larger than it says": head + object(z.length, n - 1, z) + eof,
  "smaller than it says": head + object(z.length, n + 1, z) + eof,
  "larger than any receipt": head + object(z.length, (1 << 20) + 1, z) + eof,
  "a bomb": head + object(bomb.length, 1 << 20, bomb) + eof,
  "not packed": head + object(n, n, receipt) + eof,
  "two in one": head + object(2 * z.length, n, new Uint8Array([...z, ...z])) + eof,
  "a number with a zero": head + object(z.length, n, z).replace("/Length ", "/Length 0") + eof,
})) {
  test(`refused: ${what}`, async () => {
    await assert.rejects(attachedReceipt(bytes(bad)), CertificateError);
  });
}
