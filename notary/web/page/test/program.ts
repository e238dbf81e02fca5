// The Go program, run by somebody who remembers nothing, and what decides how much.
//
// TRIALNOTARY names the program, MUTATIONS how many receipts, TRIALS how many random
// trials, SEED repeats a run.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const program = process.env["TRIALNOTARY"];
export const mutations = Number(process.env["MUTATIONS"] ?? 500);
export const trials = Number(process.env["TRIALS"] ?? 20);
export const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** What the program prints with --json; empty where it could not check at all. */
export function run(...args: string[]): string {
  assert.ok(program, "TRIALNOTARY must name the program: go build -o … ./cmd/trialnotary");
  const home = mkdtempSync(join(tmpdir(), "home-"));
  try {
    return execFileSync(program, args, { encoding: "utf8", maxBuffer: 1 << 28, env: { PATH: process.env["PATH"], HOME: home, XDG_CONFIG_HOME: home, TRIALNOTARY_HOME: home }, stdio: ["ignore", "pipe", "pipe"] });
  } catch (e) {
    const { status, stdout } = e as { status: number; stdout: string };
    assert.ok([1, 2, 5].includes(status), `exit code ${status}: ${stdout}`);
    return stdout;
  }
}
