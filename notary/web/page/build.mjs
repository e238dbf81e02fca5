// Builds page.html, one file that loads nothing: scripts and styles stand in it,
// named by hash in its Content-Security-Policy. With --tests, builds the tests.

import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
import { deflateSync } from "fflate";

const browsers = ["chrome109", "firefox115", "safari16"];

/** The hashing worker as a text, to be started from a blob: URL. */
const worker = {
  name: "worker",
  setup(b) {
    b.onResolve({ filter: /^worker:/ }, (a) => ({ path: a.path.slice("worker:".length), namespace: "worker" }));
    b.onLoad({ filter: /.*/, namespace: "worker" }, async (a) => {
      const out = await build({ entryPoints: [`src/files/${a.path}.ts`], bundle: true, minify: true, write: false, format: "iife", target: browsers, legalComments: "none" });
      return { contents: out.outputFiles[0].text, loader: "text" };
    });
  },
};

/** In the page, timestamps are checked by what stands packed in it. */
const unpacked = {
  name: "unpacked",
  setup(b) {
    b.onResolve({ filter: /\/timestamp\.ts$/ }, () => ({ path: resolve("src/page/timestamp_loader.ts") }));
  },
};

if (process.argv.includes("--tests")) {
  rmSync(".build/test", { recursive: true, force: true });
  await build({
    entryPoints: readdirSync("test").filter((f) => f.endsWith(".test.ts")).map((f) => `test/${f}`),
    outdir: ".build/test", outExtension: { ".js": ".mjs" }, bundle: true, platform: "node", format: "esm", target: "node20",
    external: ["playwright-core", "axe-core"], plugins: [worker],
  });
} else {
  await page();
}

async function page() {
  const text = async (o) => (await build({ bundle: true, minify: true, write: false, legalComments: "none", charset: "utf8", target: browsers, ...o })).outputFiles[0].text;
  // Inside an element these characters would end it.
  const script = (await text({ entryPoints: ["src/page/main.ts"], format: "iife", plugins: [worker, unpacked] })).trim().replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
  // Certificates need the largest library by far, and few receipts have any: it stands
  // packed in the page, and runs only when needed and only if it has this hash.
  const timestamps = (await text({ entryPoints: ["src/evidence/timestamp.ts"], format: "iife", globalName: "trialnotaryTimestamps" })).trim();
  const packed = Buffer.from(deflateSync(Buffer.from(timestamps), { level: 9 })).toString("base64");
  const style = (await text({ entryPoints: ["src/page/style.css"] })).trim();
  const hash = (s) => `'sha256-${createHash("sha256").update(s).digest("base64")}'`;
  const policy = [
    "default-src 'none'", "connect-src 'none'", `script-src ${hash(script)} ${hash(timestamps)} 'wasm-unsafe-eval'`, `style-src ${hash(style)}`,
    "worker-src blob:", "base-uri 'none'", "form-action 'none'",
  ].join("; ");
  const html = readFileSync("src/page/index.html", "utf8")
    .replace("{policy}", () => policy).replace("{style}", () => style).replace("{timestamps}", () => packed).replace("{script}", () => script);
  writeFileSync("page.html", html);
  console.log(`page.html ${Buffer.byteLength(html)} bytes`);
}
