// The catalogue: every language says everything, and says the same values.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { type Key, en } from "../src/words/en.ts";
import { de } from "../src/words/de.ts";
import { es } from "../src/words/es.ts";
import { fr } from "../src/words/fr.ts";

const places = (s: string): string[] => [...new Set(s.match(/\{[a-zA-Z]+\}/g) ?? [])].sort();

for (const [language, words] of Object.entries({ de, fr, es })) {
  test(`${language} has the keys, values and forms of English, and its own words`, () => {
    assert.deepEqual(Object.keys(words).sort(), Object.keys(en).sort());
    for (const [key, sentence] of Object.entries(words)) {
      const english = en[key as Key];
      assert.deepEqual(places(sentence), places(english), key);
      assert.equal(sentence.split("|").length, english.split("|").length, key);
      if (english.split(" ").length > 3 && !english.startsWith("{")) assert.notEqual(sentence, english, key);
    }
  });
}

test("every reason, step and problem has its words", () => {
  const source = readdirSync("src", { recursive: true }).map(String).filter((f) => f.endsWith(".ts") && !f.startsWith("words")).map((f) => readFileSync(`src/${f}`, "utf8")).join("\n");
  const codes = [...source.matchAll(/new (?:Failure\("[a-z]+", |Unmet\(|ZipError\()"([A-Za-z]+)"/g)].map((m) => m[1]!);
  assert.ok(codes.length > 30);
  for (const code of codes) assert.ok(`why.${code}` in en || `problem.${code}` in en, code);
});
