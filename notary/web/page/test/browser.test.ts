// The third persona's whole job, in a real browser, from a file, with the network off.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { zipSync } from "fflate";
import decodeQR from "qr/decode.js";
import { Visitor, accept, lines, put, putFolder, words } from "./browser.ts";
import { notary } from "./files.ts";
import { type Notary, type Story, copyOf, fresh, kit, playStory, run, sealAtSite, serveStory, share } from "./story.ts";

const sample = join(notary, "receipt/testdata/sample"), histories = join(notary, "history/testdata/sample");
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let story: Story;
before(() => {
  story = playStory();
});

/** One visit; whatever happens in it, nothing leaves the page and nothing goes wrong unseen. */
function visit(name: string, steps: (p: Page, v: Visitor) => Promise<void>, o: Parameters<typeof Visitor.arrive>[0] = {}): void {
  test(name, { timeout: 900_000 }, async () => {
    const v = await Visitor.arrive(o);
    try {
      await steps(await v.open(), v);
      assert.deepEqual(v.foreign, [], "a request left the page");
      assert.deepEqual(v.errors, []);
    } finally {
      await v.leave();
    }
  });
}

/** What an accessibility checker finds wrong. */
async function faults(p: Page): Promise<string[]> {
  // The page's own policy forbids scripts from elsewhere, so the checker comes in by the debugger.
  const cdp = await p.context().newCDPSession(p);
  await cdp.send("Runtime.evaluate", { expression: axeSource });
  const { result } = await cdp.send("Runtime.evaluate", {
    expression: "axe.run(document, { resultTypes: ['violations'] }).then((r) => JSON.stringify(r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.target.join(' ')).join(', '))))",
    awaitPromise: true,
  });
  return JSON.parse(result.value as string) as string[];
}

const open = (p: Page): Promise<void> => p.$$eval("details", (all) => all.forEach((d) => (d.open = true)));

describe("receipts", () => {
  visit("a good receipt with its folder of data is verified", async (p) => {
    await accept(p, story.trust);
    await put(p, join(story.board, "site-701.receipt"), join(story.board, "site-701.manifest"));
    assert.deepEqual(await words(p), ["Verified"]);
    assert.match((await lines(p, "Files")).join(), /Not compared: 2 files/);
    await putFolder(p, join(story.board, "site-701"));
    assert.deepEqual(await words(p), ["Verified"]);
    assert.match((await lines(p, "Files")).join(), /^2 of 2 files match$/);
    assert.match((await lines(p, "Trial")).join(" "), /NCT99999999.*([0-9A-F]{4}-){9}[0-9A-F]{4}/);
    await open(p);
    assert.deepEqual(await faults(p), []);
  });

  visit("witnessed times are said in UTC and where the visitor is", async (p) => {
    await accept(p, join(sample, "acme.trust"));
    await put(p, join(sample, "site1b.receipt"));
    const when = (await lines(p, "When")).join("\n");
    assert.match(when, /No later than 22 November 2026 at 14:32 UTC \(22 November at 15:32 CET where you are\), 3 of 3 witnesses/);
    assert.match(when, /Not before 22 November 2026/);
    assert.match(when, /Claims, not proof/);
    assert.match((await lines(p, "Who")).join(" "), /Jane Doe \(authorship\) key site-001.jdoe, enrolled by acme on 21 November 2026/);
  });

  visit("a timestamp authority's time is proved where the trust file names its root", async (p) => {
    const dir = fresh("stamped"), data = (name: string) => readFileSync(join("test/data/timestamp", name), "utf8");
    writeFileSync(join(dir, "stamped.receipt"), readFileSync(join(sample, "site1.receipt"), "utf8").replace("-- grant-1 --", `-- timestamp-1.tsr --\n${data("good.txt")}-- grant-1 --`));
    writeFileSync(join(dir, "stamped.trust"), readFileSync(join(sample, "acme.trust"), "utf8").replace(/-- tsa\.pem --\n[^]*?(?=-- |$)/, `-- tsa.pem --\n${data("root.pem")}`));
    await accept(p, join(dir, "stamped.trust"));
    await put(p, join(dir, "stamped.receipt"));
    assert.match((await lines(p, "When")).join(" "), /No later than 22 November 2026 at [0-9]{2}:[0-9]{2} UTC .*timestamp authority ec/);
  });

  visit("a changed file is not what was sealed", async (p) => {
    const data = copyOf(join(story.board, "site-701"));
    const file = join(data, "dm.json"), b = readFileSync(file);
    b[100]! ^= 1;
    writeFileSync(file, b);
    await accept(p, story.trust);
    await put(p, join(story.board, "site-701.receipt"), join(story.board, "site-701.manifest"));
    await putFolder(p, data);
    assert.deepEqual(await words(p), ["Not verified"]);
    assert.match((await lines(p, "Files")).join("\n"), /1 of 2 files match[^]*dm\.json has other bytes than were sealed/);
    await open(p);
    assert.deepEqual(await faults(p), []);
  });

  visit("a missing file and a stranger are named", async (p) => {
    const data = copyOf(join(story.board, "site-701"));
    renameSync(join(data, "dm.json"), join(data, "renamed.json"));
    writeFileSync(join(data, "notes.txt"), "hello");
    await accept(p, story.trust);
    await put(p, join(story.board, "site-701.receipt"), join(story.board, "site-701.manifest"));
    await putFolder(p, data);
    assert.deepEqual(await words(p), ["Not verified"]);
    const said = (await lines(p, "Files")).join("\n");
    assert.match(said, /data\/renamed\.json has the bytes of dm\.json, under another name/);
    assert.match(said, /1 file here was not sealed: data\/notes\.txt/);
  });

  visit("a tampered receipt shows nothing to be true", async (p) => {
    await accept(p, story.trust);
    await put(p, join(story.board, "altered/site-701.receipt"));
    assert.deepEqual(await words(p), ["Not verified"]);
    assert.match((await lines(p, "What failed")).join(), /not what the log entry commits to: one of them was changed/);
    assert.equal((await lines(p, "Who")).length, 0);
    await open(p);
    assert.deepEqual(await faults(p), []);
  });

  visit("what mail did to a receipt is undone and said", async (p) => {
    const file = join(fresh("mail"), "site1.receipt");
    writeFileSync(file, "\ufeff" + readFileSync(join(sample, "site1.receipt"), "utf8").replaceAll("\n", "\r\n"));
    await accept(p, join(sample, "acme.trust"));
    await put(p, file);
    assert.deepEqual(await words(p), ["Verified"]);
    assert.equal((await lines(p, "On arrival")).length, 2);
  });

  visit("a trial fingerprint decides which trial it is", async (p) => {
    await accept(p, join(sample, "acme.trust"));
    await put(p, join(sample, "site1.receipt"));
    const print = /([0-9A-F]{4}-){9}[0-9A-F]{4}/.exec((await lines(p, "Trial")).join())![0];
    await p.fill("#pin", print.toLowerCase().replaceAll("-", ""));
    await p.press("#pin", "Tab");
    await p.waitForFunction(() => document.body.textContent?.includes("the fingerprint you gave"));
    await p.fill("#pin", print.replace(/^..../, print.startsWith("0000") ? "1111" : "0000"));
    await p.press("#pin", "Tab");
    await p.waitForSelector(".sheet.not-verified");
    await p.fill("#pin", "xyz");
    await p.press("#pin", "Tab");
    await p.locator("#pin-wrong", { hasText: "no trial fingerprint" }).waitFor();
  });

  visit("several receipts stand in the order of the log", async (p) => {
    await accept(p, join(sample, "acme.trust"));
    await put(p, ...["site3", "site2", "registration", "site1", "site1b"].map((n) => join(sample, `${n}.receipt`)));
    assert.deepEqual(await p.$$eval(".overview tbody td:nth-child(2)", (t) => t.map((c) => c.textContent)), ["1", "7", "8", "11", "16"]);
    assert.match((await p.textContent(".overview"))!, /sealed together with the one before/);
    await open(p);
    assert.deepEqual(await faults(p), []);
  });
});

describe("shares, kits and histories", () => {
  visit("a share of one file shows that file and hides the other", async (p) => {
    const zip = join(fresh("share"), "share.zip");
    share(story, zip, "dm.json");
    await accept(p, story.trust);
    await put(p, zip, join(story.board, "site-701/dm.json"));
    assert.deepEqual(await words(p), ["Verified"]);
    assert.match((await lines(p, "Files")).join(), /^1 of 1 file matches \(opened, of 2 sealed\)$/);
    assert.match((await p.textContent(".chips"))!, /1 other file in the zip was not looked at/);
    await put(p, join(story.board, "site-701/ae.json"));
    assert.deepEqual(await words(p), ["Not verified"], "nothing opened says that this one was sealed");
  });

  visit("a whole share is checked with the folder", async (p) => {
    const zip = join(fresh("share"), "share.zip");
    share(story, zip);
    await accept(p, story.trust);
    await put(p, zip);
    await putFolder(p, join(story.board, "site-701"));
    assert.deepEqual(await words(p), ["Verified"]);
    assert.match((await lines(p, "Files")).join(), /^2 of 2 files match$/);
  });

  visit("an opening shows one file and hides the others", async (p) => {
    await accept(p, join(sample, "acme.trust"));
    const shared = join(notary, "manifest/testdata/vectors/good/opening-sample.txt");
    await put(p, join(sample, "site1.receipt"), shared);
    assert.match((await lines(p, "Files")).join(), /Not compared: 3 files/);
    const a = join(fresh("data"), "a.csv");
    writeFileSync(a, "not these bytes");
    await put(p, a);
    assert.deepEqual(await words(p), ["Not verified"]);
  });

  visit("a kit nobody vouched for is consistent and unconfirmed, until its trust file is accepted", async (p) => {
    const zip = join(fresh("kit"), "kit.zip");
    kit(story, zip);
    await put(p, zip);
    assert.deepEqual(await words(p), Array(5).fill("Consistent, but unconfirmed"));
    assert.match((await p.textContent(".card.waiting"))!, /came with the evidence/);
    await open(p);
    assert.deepEqual(await faults(p), []);
    await p.click(".card.waiting button:not(.quiet)");
    await p.waitForSelector(".sheet.verified", { state: "attached" });
    assert.deepEqual(await words(p), Array(5).fill("Verified"));
  });

  visit("a history is complete; one with an entry left out is not", async (p) => {
    await accept(p, join(histories, "acme.trust"));
    await put(p, join(histories, "whole.history"), join(sample, "site1.receipt"));
    assert.deepEqual(await words(p), ["Verified", "Verified"]);
    assert.match((await lines(p, "How many more")).join(" "), /This stream held 2 entries up to .*: 0 before this one, 1 after it.*1 later statement is about this one: Dataset/);
    assert.match((await p.textContent(".sheet:last-of-type"))!, /auditor\.example: recomputed every entry/);
    await open(p);
    assert.deepEqual(await faults(p), []);
    await p.click(".end button");

    const text = readFileSync(join(histories, "whole.history"), "utf8");
    const entry = /-- 4\/entries --\n((?:.*\n){6})/.exec(text)![1]!;
    const cut = join(fresh("cut"), "cut.history");
    writeFileSync(cut, text.replace(entry, "").replace(/-- 4\/statement-1 --\n[^]*?(?=-- )/, ""));
    await put(p, cut);
    assert.deepEqual(await words(p), ["Not verified"]);
    assert.match((await lines(p, "What failed")).join(), /Something was left out: stream 4 had 2 entries, and 1 of them are not here/);
  });

  visit("a certificate gives its receipt; another PDF is data", async (p) => {
    const dir = fresh("certificate"), page = join(dir, "page.pdf");
    run(["certificate", join(story.board, "site-701.receipt"), "--trust", story.trust, "--out", page]);
    await accept(p, story.trust);
    await put(p, page, join(story.board, "site-701.manifest"));
    await putFolder(p, join(story.board, "site-701"));
    assert.deepEqual(await words(p), ["Verified"]);
    assert.match((await lines(p, "On arrival")).join(), /Only this receipt, attached to it, was checked: believe these lines, not the printed text/);
    assert.match((await lines(p, "Files")).join(), /^2 of 2 files match$/);
    await p.click(".end button");

    const b = readFileSync(page);
    writeFileSync(join(dir, "cut.pdf"), b.subarray(0, b.length - 100));
    writeFileSync(join(dir, "protocol.pdf"), "%PDF-1.7\nanother document\n%%EOF\n");
    await put(p, join(dir, "cut.pdf"), join(dir, "protocol.pdf"));
    assert.match((await p.textContent("main"))!, /cut\.pdf is a certificate that was cut off, or saved anew/);
    assert.match((await p.textContent(".chips"))!, /1 file of data/);
  });

  visit("a damaged zip and a private file are told, not read", async (p) => {
    const dir = fresh("odd");
    const whole = zipSync({ "a.receipt": new Uint8Array(readFileSync(join(sample, "site1.receipt"))) });
    writeFileSync(join(dir, "cut.zip"), whole.subarray(0, whole.length - 30));
    await put(p, join(dir, "cut.zip"), join(story.dir, "site-708/chen.key"));
    const told = (await p.textContent("main"))!;
    assert.match(told, /cut\.zip is no zip that can be read/);
    assert.match(told, /chen\.key is private/);
  });
});

describe("hostile text", () => {
  visit("names are shown escaped and never read as markup", async (p) => {
    const dir = join(fresh("hostile"), "data");
    mkdirSync(dir);
    const evil = ["<img src=x onerror=document.title='owned'>.csv", "a\u202egnp.exe", "tab\tand\u0007bell.csv", "\u2066x\u2069.csv"];
    for (const name of evil) writeFileSync(join(dir, name), "x");
    for (const name of readdirSync(join(story.board, "site-701"))) writeFileSync(join(dir, name), readFileSync(join(story.board, "site-701", name)));
    const zip = join(fresh("zip"), "<b>kit.zip");
    writeFileSync(zip, zipSync({ "<script>alert(1)</script>\u202e.receipt": new TextEncoder().encode("trialnotary/receipt@v1\n<script>alert(2)</script>\n") }));
    await accept(p, story.trust);
    await put(p, join(story.board, "site-701.receipt"), join(story.board, "site-701.manifest"));
    await putFolder(p, dir);
    const said = (await lines(p, "Files")).join("\n");
    assert.match(said, /<img src=x onerror=document\.title='owned'>\.csv/);
    assert.match(said, /a<U\+202E>gnp\.exe/);
    assert.match(said, /tab<U\+0009>and<U\+0007>bell\.csv/);
    await put(p, zip);
    assert.match((await p.textContent("main"))!, /<script>alert\(1\)<\/script><U\+202E>\.receipt/);
    assert.equal(await p.$$eval("main img, main script, main b", (e) => e.length), 0);
    assert.notEqual(await p.title(), "owned");
    assert.doesNotMatch((await p.textContent("main"))!, /[\u202a-\u202e\u2066-\u2069\u0007]/);
  });
});

describe("the page itself", () => {
  visit("nothing put on it yet: accessible, small, by keyboard", async (p) => {
    assert.deepEqual(await faults(p), []);
    const chooser = p.waitForEvent("filechooser");
    await p.getByRole("button", { name: "Choose files…" }).focus();
    await p.keyboard.press("Enter");
    await (await chooser).setFiles(join(sample, "site1.receipt"));
    await p.waitForSelector(".sheet.unconfirmed");
    await p.waitForFunction(() => document.activeElement?.id === "result"); // told to who does not see it
  });

  visit("dropping a file anywhere puts it on the desk", async (p) => {
    const text = readFileSync(join(sample, "site1.receipt"), "utf8");
    await p.evaluate((text) => {
      const t = new DataTransfer();
      t.items.add(new File([text], "site1.receipt"));
      document.querySelector("h1")!.dispatchEvent(new DragEvent("drop", { dataTransfer: t, bubbles: true, cancelable: true }));
    }, text);
    await p.waitForSelector(".sheet.unconfirmed");
  });

  visit("two things dropped at once are both looked at, and gone after starting again", async (p) => {
    const texts = ["site1.receipt", "site1b.receipt"].map((name) => readFileSync(join(sample, name), "utf8"));
    const drop = (texts: string[]): void => {
      for (const [i, text] of texts.entries()) {
        const t = new DataTransfer();
        t.items.add(new File([text], `${i}.receipt`));
        document.querySelector("h1")!.dispatchEvent(new DragEvent("drop", { dataTransfer: t, bubbles: true, cancelable: true }));
      }
    };
    await p.evaluate(drop, texts);
    await p.locator(".sheet").nth(1).waitFor({ state: "attached" });
    await p.click(".end button");
    await p.evaluate(drop, texts);
    await p.locator(".sheet").nth(1).waitFor({ state: "attached" });
    assert.equal(await p.locator(".sheet").count(), 2, "what was there before starting again is gone");
  });

  visit("what was accepted is remembered, and can be forgotten", async (p) => {
    await accept(p, join(sample, "acme.trust"));
    await p.reload();
    await p.waitForSelector(".card.accepted");
    await put(p, join(sample, "site1.receipt"));
    assert.deepEqual(await words(p), ["Verified"]);
    await p.click(".card.accepted button");
    await p.waitForSelector(".sheet.unconfirmed");
    await p.reload();
    await p.waitForSelector("h1");
    assert.equal(await p.$(".card"), null);
  });

  visit("what is no trust file is told", async (p) => {
    await p.setInputFiles("#trust-file", join(sample, "site1.receipt"));
    await p.locator("[role=alert]", { hasText: "site1.receipt is no trust file" }).waitFor();
  });

  for (const [language, title] of Object.entries({ en: "Check a receipt", de: "Einen Beleg prüfen", fr: "Vérifier un reçu", es: "Comprobar un recibo" })) {
    visit(`it speaks ${language} to who prefers it, and after a choice`, async (p) => {
      assert.equal(await p.textContent("h1"), title);
      assert.equal(await p.getAttribute("html", "lang"), language);
      await accept(p, join(sample, "acme.trust"));
      await put(p, join(sample, "site1b.receipt"), join(histories, "whole.history"));
      await open(p);
      assert.deepEqual(await faults(p), []);
      // No key of the catalogue and no unfilled place shows through.
      assert.doesNotMatch((await p.textContent("main"))!, /\{[a-z]+\}|\b(word|row|when|why|check|state)\.[a-z]/i);
      await p.selectOption("#language", language === "de" ? "en" : "de");
      assert.equal(await p.textContent("h1"), language === "de" ? "Check a receipt" : "Einen Beleg prüfen");
    }, { locale: { en: "en-GB", de: "de-DE", fr: "fr-FR", es: "es-ES" }[language]! });
  }

  visit("dark, and on a phone: accessible, nothing wider than the screen", async (p) => {
    await accept(p, join(sample, "acme.trust"));
    await put(p, join(sample, "site1b.receipt"), join(histories, "whole.history"));
    await open(p);
    assert.deepEqual(await faults(p), []);
    assert.ok(await p.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  }, { colorScheme: "dark", viewport: { width: 360, height: 740 } });

  visit("a receipt prints on one sheet of A4", async (p) => {
    await accept(p, join(sample, "acme.trust"));
    await put(p, join(sample, "site1b.receipt"));
    const pdf = (await p.pdf({ format: "A4" })).toString("latin1");
    assert.equal(pdf.match(/\/Type\s*\/Page\b/g)!.length, 1);
    await p.emulateMedia({ media: "print" });
    assert.ok(await p.isVisible(".paper"));
    assert.ok(!(await p.isVisible(".panel")));
    assert.ok(!(await p.isVisible(".verdict")), "the sheet of the screen stands beside that of the paper");
  });

  visit("the sheet on paper says what the certificate says, in its order", async (p) => {
    await accept(p, join(sample, "acme.trust"));
    await put(p, join(sample, "site1b.receipt"));
    await p.emulateMedia({ media: "print" });
    const said = (await p.innerText(".certificate")).replace(/\s+/g, " ");
    const inOrder = ["Certificate", "VERIFIED", "Dataset · site-001 · NCT01234567", "Trial", "CE02-32E3-", "3 files, 35 bytes", "Jane Doe (authorship)", "enrolled by acme", "Role of the key: site",
      "No later than 22 November 2026", "Claims, not proof", "entry 11 of the log", "6194 f705 5e6a 3ac3", "014e 5753 2768 b471", "TRIALNOTARY1 log.example/trials 11 ", "in three steps", "What this proves", "What this does not prove", "E29F-7D26-"];
    let at = 0;
    for (const part of inOrder) {
      const found = said.indexOf(part, at);
      assert.ok(found >= at, `${part} does not stand after the others: ${said}`);
      at = found;
    }
    // The very code that the certificate has: read as a camera reads it.
    const [side, path] = await p.$eval(".qr", (s) => [Number(s.getAttribute("viewBox")!.split(" ")[2]), s.querySelector("path")!.getAttribute("d")!] as const);
    const scale = 4, width = (side + 8) * scale, data = new Uint8Array(width * width * 4).fill(255);
    for (const [, x, y] of path.matchAll(/M(\d+) (\d+)h1v1h-1z/g))
      for (let i = 0; i < scale * scale; i++) {
        const px = (Number(x) - 1 + 4) * scale + (i % scale), py = (Number(y) - 1 + 4) * scale + Math.floor(i / scale);
        data.fill(0, 4 * (py * width + px), 4 * (py * width + px) + 3);
      }
    assert.equal(decodeQR({ width, height: width, data }), "TRIALNOTARY1 log.example/trials 11 Ckp0obzKQCKZg+4OEZ/EU6b0dCrrwDmOKUWQV6d0PmQ= AU5XUydotHFrrCjLZaREgRGRjKBbsu57/8ezKm1kOlc=");
  });
});

describe("with a notary", () => {
  let n: Notary;
  before(async () => {
    n = await serveStory(story);
  });
  after(() => n.stop());

  test("it serves the page, which then asks for nothing more", async () => {
    const v = await Visitor.arrive({ offline: false });
    try {
      const p = await v.open(n.url + "/");
      assert.match((await p.textContent(".card.waiting"))!, /names this as its trust file/);
      await p.click(".card.waiting button:not(.quiet)");
      await put(p, join(story.board, "site-701.receipt"));
      assert.deepEqual(await words(p), ["Verified"]);
      assert.deepEqual(await faults(p), []);
      assert.deepEqual(v.requests.filter((u) => !u.startsWith("blob:")), [n.url + "/"]);
      assert.deepEqual(v.errors, []);
      // What the policy forbids does not happen even when the page is made to try.
      assert.equal(await p.evaluate((url) => fetch(url).then(() => "went", () => "stayed"), n.url + "/checkpoint"), "stayed");
    } finally {
      await v.leave();
    }
  });

  test("the longest label and reason print on one sheet of A4", async () => {
    const dir = fresh("long"), file = join(dir, "a.csv");
    writeFileSync(file, "a,b\n");
    sealAtSite(story, n, file, join(dir, "long"), "--label", "W".repeat(200), "--reason", "W".repeat(200));
    const v = await Visitor.arrive({ locale: "de-DE" });
    try {
      const p = await v.open();
      await accept(p, story.trust);
      await put(p, join(dir, "long.receipt"));
      const pdf = (await p.pdf({ format: "A4" })).toString("latin1");
      assert.equal(pdf.match(/\/Type\s*\/Page\b/g)!.length, 1);
    } finally {
      await v.leave();
    }
  });

  test("why files differ is told, in the visitor's language", async () => {
    const dir = fresh("why"), data = join(dir, "data"), vector = (name: string) => readFileSync(join(notary, "content/testdata", name));
    mkdirSync(data);
    writeFileSync(join(data, "dm.xpt"), vector("cdisc/dm.xpt"));
    writeFileSync(join(data, "dm.json"), vector("cdisc/dm.json"));
    writeFileSync(join(data, "lb.csv"), "subject,value\n001,12.5\n");
    sealAtSite(story, n, data, join(dir, "week12"));
    const v = await Visitor.arrive();
    try {
      const p = await v.open();
      await accept(p, story.trust);
      const again = async (files: Record<string, string | Buffer>): Promise<string> => {
        const to = join(fresh("again"), "data");
        mkdirSync(to);
        for (const [name, b] of Object.entries(files)) writeFileSync(join(to, name), b);
        await p.click("text=Start again");
        await put(p, join(dir, "week12.receipt"), join(dir, "week12.manifest"));
        await putFolder(p, to);
        return (await lines(p, "Files")).join("\n");
      };
      // Another export of the same data, and a text that went through a Windows machine.
      const same = await again({ "dm.xpt": vector("vectors/good/reexport.xpt"), "dm-new.json": vector("vectors/good/reexport.json"), "lb.csv": "\ufeffsubject,value\r\n001,12.5\r\n" });
      assert.deepEqual(await words(p), ["Not verified"]);
      assert.match((await p.textContent(".lead"))!, /proved to say the same/);
      assert.match(same, /dm\.xpt has other bytes than were sealed — Proved: the data are the same; only times of export differ\./);
      assert.match(same, /lb\.csv has .* — Proved: its line ends were LF and are CR LF and a byte order mark was put before it; all else is what was sealed\./);
      assert.match(same, /data\/dm-new\.json was sealed as dm\.json: Proved: the data are the same/);
      await open(p);
      assert.deepEqual(await faults(p), []);
      await p.selectOption("select", "de");
      assert.match((await lines(p, "Dateien")).join("\n"), /Bewiesen: Die Daten sind dieselben; nur Zeitpunkte des Exports sind andere\./);
      await p.selectOption("select", "en");
      // One value is another.
      const other = await again({ "dm.xpt": vector("vectors/good/value.xpt"), "dm.json": vector("cdisc/dm.json"), "lb.csv": "subject,value\n001,12.6\n" });
      assert.match((await p.textContent(".lead"))!, /are not what was sealed/);
      assert.match(other, /dm\.xpt has other bytes than were sealed — Proved: not only times of export differ: values do/);
      assert.match(other, /lb\.csv has other bytes than were sealed — Proved: not only quotes and line ends differ: fields do/);
      assert.deepEqual([v.foreign, v.errors], [[], []]);
    } finally {
      await v.leave();
    }
  });

  test("a file of gigabytes streams through bounded memory", { timeout: 1_800_000 }, async () => {
    const size = Number(process.env["BIG_FILE_MB"] ?? 512) * 2 ** 20;
    const dir = fresh("big"), file = join(dir, "images.bin");
    const fd = openSync(file, "w");
    ftruncateSync(fd, size);
    writeSync(fd, "the end", size - 7); // sparse but for this
    closeSync(fd);
    sealAtSite(story, n, file, join(dir, "big"));
    const v = await Visitor.arrive();
    try {
      const p = await v.open();
      await accept(p, story.trust);
      await put(p, join(dir, "big.receipt"), join(dir, "big.manifest"));
      const before = await memory(v);
      let peak = before, watching = true;
      const watch = (async () => {
        for (; watching; await new Promise((r) => setTimeout(r, 200))) peak = Math.max(peak, await memory(v));
      })();
      const start = performance.now();
      await put(p, file).finally(() => (watching = false));
      const seconds = (performance.now() - start) / 1000;
      await watch;
      assert.deepEqual(await words(p), ["Verified"]);
      const other = performance.now();
      execFileSync("sha256sum", [file]);
      execFileSync("sha512sum", [file]);
      const coreutils = (performance.now() - other) / 1000;
      console.log(`sha256sum and sha512sum in series: ${coreutils.toFixed(1)} s`);
      console.log(`${size / 2 ** 20} MiB in ${seconds.toFixed(1)} s, ${(size / 2 ** 20 / seconds).toFixed(0)} MiB/s; memory ${before} MiB, at most ${peak - before} MiB more`);
      assert.ok(peak - before < 256, `${peak - before} MiB more than before`);
      assert.deepEqual(v.foreign, []);
    } finally {
      await v.leave();
    }
  });
});

/** The memory, in MiB, of the browser's processes that are not shared with others. */
async function memory(v: Visitor): Promise<number> {
  const cdp = await v.context.browser()?.newBrowserCDPSession() ?? await v.context.newCDPSession(v.context.pages()[0]!);
  const { processInfo } = await cdp.send("SystemInfo.getProcessInfo").catch(() => ({ processInfo: [] as { id: number }[] }));
  let kib = 0;
  for (const { id } of processInfo) {
    try {
      kib += Number(/^Pss_Anon:\s+([0-9]+)/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, "utf8"))?.[1] ?? 0);
    } catch {
      // it has ended
    }
  }
  await cdp.detach();
  return Math.round(kib / 1024);
}
