// Trust files: the only thing a verifier believes.

import { Parts, parseArchive } from "./archive.ts";
import { type Algorithm, type Key, P256, parseKey, parseParticipant } from "./key.ts";
import { type Policy, parsePolicy } from "./policy.ts";
import { FormatError, encode } from "./text.ts";
import { type Seconds, equal, fingerprint, parseTime, sha256 } from "./value.ts";
import { parsePem } from "./pem.ts";
import { takeRetired } from "./retired.ts";

export interface Trust {
  readonly policy: Policy;
  readonly auditors: Key[];
  readonly sponsors?: Key[] | undefined; // undefined: the part is absent
  readonly tsa: Uint8Array[]; // DER certificates
  readonly algorithms: Map<string, Seconds>; // until when each is accepted
  readonly fingerprint: string;
  readonly bytes: Uint8Array;
}

export const trustVersion = "trialnotary/trust@v1";
const maxTrust = 1 << 20;
const algorithms = ["ed25519", "ecdsa-p256", "ml-dsa-44", "sha-256", "sha-512"];

export function parseTrust(b: Uint8Array): Trust {
  const parts = new Parts(parseArchive(b, trustVersion, maxTrust));
  const newest = parsePolicy(encode(parts.take("policy")));
  const auditors = (linesOf(parts, "auditors") ?? []).map(parseKey);
  distinct(auditors.map((k) => k.text), "an auditor");
  const sponsors = linesOf(parts, "sponsors")?.map(parseParticipant);
  distinct((sponsors ?? []).map((k) => k.text), "a sponsor");
  const tsa = parts.next("tsa.pem") ? parsePem(parts.takeAny("tsa.pem")) : [];
  const until = new Map<string, Seconds>();
  let last = -1;
  for (const line of linesOf(parts, "algorithms") ?? []) {
    const [name, time, ...more] = line.split(" ");
    const i = algorithms.indexOf(name!);
    if (i <= last || time === undefined || more.length > 0) throw new FormatError("the algorithms are not known ones, each once and in order");
    until.set(name!, parseTime(time));
    last = i;
  }
  const retired = takeRetired(parts, newest);
  parts.done();
  for (const k of auditors) for (const p of [newest, ...retired.map((r) => r.policy)]) checkAuditor(k, p);
  const policy = { ...newest, retired };
  return { policy, auditors, sponsors, tsa, algorithms: until, fingerprint: fingerprint(sha256(b)), bytes: b };
}

function linesOf(parts: Parts, name: string): string[] | undefined {
  if (!parts.next(name)) return undefined;
  const text = parts.takeAny(name);
  const lines = text === "" ? [] : text.slice(0, -1).split("\n");
  if (lines.includes("")) throw new FormatError(`part "${name}" has an empty line`);
  return lines;
}

function checkAuditor(k: Key, p: Policy): void {
  if (k.type === P256) throw new FormatError("an auditor's key is of type 0x01, 0x04 or 0x06");
  // An auditor's signature says more than a witness's, so the two never share a key.
  if ([p.log, ...p.witnesses.map((w) => w.key!)].some((w) => equal(w.public, k.public))) throw new FormatError("an auditor's key is one of the policy's");
}

function distinct(all: string[], what: string): void {
  if (new Set(all).size < all.length) throw new FormatError(`${what} stands twice`);
}

/** Whether an algorithm is accepted at a time. */
export function isAccepted(t: Trust, a: Algorithm, at: Seconds): boolean {
  const until = t.algorithms.get(a);
  return until === undefined || at <= until;
}
