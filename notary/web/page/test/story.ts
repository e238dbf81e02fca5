// Evidence as the program makes it: the demo's story, and a notary to seal more with.

import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const program = ((): string => {
  const p = process.env["TRIALNOTARY"];
  if (!p) throw new Error("TRIALNOTARY must name the program: go build -o … ./cmd/trialnotary");
  return p;
})();

export const fresh = (name: string): string => mkdtempSync(join(tmpdir(), `${name}-`));

/** The program, run by somebody who remembers nothing. */
export function run(args: string[], o: { cwd?: string } = {}): string {
  const home = fresh("home");
  return execFileSync(program, args, { encoding: "utf8", env: { PATH: process.env["PATH"], HOME: home, XDG_CONFIG_HOME: home }, stdio: ["ignore", "pipe", "pipe"], ...o });
}

export interface Story {
  readonly dir: string;
  readonly board: string; // what the ethics board was sent
  readonly trust: string; // the notary's trust file
}

export function playStory(): Story {
  const dir = join(fresh("story"), "demo");
  run(["demo", "--dir", dir]);
  return { dir, board: join(dir, "ethics-board"), trust: join(dir, "sponsor/log.trust") };
}

export interface Notary {
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts the story's notary again. */
export async function serveStory(s: Story): Promise<Notary> {
  const port = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
  const url = `http://127.0.0.1:${port}`;
  const p = spawn(program, ["serve", "--dir", join(s.dir, "operator/notary"), "--listen", `127.0.0.1:${port}`, "--every", "200ms", "--sponsor", readFileSync(join(s.dir, "operator/acme.key.pub"), "utf8").trim()], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => p.on("exit", () => resolve()));
  for (let i = 0; ; i++) {
    if (await fetch(`${url}/healthz`).then((r) => r.ok, () => false)) break;
    if (i > 300 || p.exitCode !== null) throw new Error("the notary does not start");
    await new Promise((r) => setTimeout(r, 100));
  }
  return { url, stop: () => (p.kill("SIGTERM"), ended) };
}

/** Seals a file in the name of site 708; the receipt and the manifest stand beside it. */
export function sealAtSite(s: Story, n: Notary, file: string, prefix: string, ...more: string[]): void {
  const site = join(s.dir, "site-708");
  run(["seal", file, "--invite", join(site, "site-708.invite"), "--key", join(site, "chen.key"), "--service", n.url, "--out", prefix, ...more]);
}

/** A share of site 701: of some of its files, or of all. */
export function share(s: Story, out: string, ...files: string[]): void {
  const paths = files.map((f) => join(s.board, "site-701", f));
  run(["share", join(s.board, "site-701.receipt"), ...(paths.length > 0 ? paths : ["--whole"]), "--yes", "--trust", s.trust, "--out", out]);
}

/** The kit that the sponsor exports of five receipts. */
export function kit(s: Story, out: string): void {
  const from = fresh("receipts");
  for (const n of ["protocol", "analysis-plan", "site-701", "site-708", "database-lock"]) cpSync(join(s.board, `${n}.receipt`), join(from, `${n}.receipt`));
  run(["export", join(s.dir, "sponsor/NCT99999999.trial"), "--from", from, "--trust", s.trust, "--out", out]);
}

export function copyOf(dir: string): string {
  const to = join(fresh("copy"), "data");
  cpSync(dir, to, { recursive: true });
  return to;
}
