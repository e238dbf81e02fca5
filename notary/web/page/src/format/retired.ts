// The keys that a log gave up: parts retired-<n> and handover-<n> of a trust file. What
// they signed counts up to the size of the log at the change.

import type { Parts } from "./archive.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import { type Key, MLDSA44, parseKey } from "./key.ts";
import { type Policy, type Retired, parsePolicy } from "./policy.ts";
import { FormatError, Lines, encode } from "./text.ts";
import { base64, equal, parseHash, parseNumber, sha256 } from "./value.ts";

const handoverVersion = "trialnotary/handover@v1";
const maxRetired = 64;

interface Handover {
  readonly size: bigint;
  readonly retired: Uint8Array; // SHA-256 of the part retired-<n>
  readonly next: string[]; // the keys that follow
}

/** Takes every change of keys; the policy is the newest. */
export function takeRetired(parts: Parts, newest: Policy): Retired[] {
  const all: Retired[] = [], handovers: (Handover | undefined)[] = [];
  for (let n = 1; parts.next(`retired-${n}`); n++) {
    const text = parts.take(`retired-${n}`);
    const end = text.indexOf("\n") + 1;
    const r = new Lines(text.slice(0, end));
    const until = r.parse(parseNumber, r.value("until"));
    if (until === 0n) throw r.fault("names a size at which nothing was signed");
    all.push({ until, policy: parsePolicy(encode(text.slice(end))) });
    const h = parts.next(`handover-${n}`) ? parseHandover(parts.take(`handover-${n}`)) : undefined;
    if (h && (h.size !== until || !equal(h.retired, sha256(encode(text))))) throw new FormatError(`handover-${n} is of other keys`);
    handovers.push(h);
  }
  if (all.length > maxRetired) throw new FormatError("the keys were changed too often");
  const policies = [...all.map((r) => r.policy), newest];
  policies.forEach((p, i) => {
    if (p.log.name !== newest.log.name) throw new FormatError("retired keys are of another log");
    if (all[i] && all[i + 1] && all[i]!.until >= all[i + 1]!.until) throw new FormatError("retired keys do not end one after the other");
    for (const q of policies.slice(i + 1)) {
      if (shares(p, q) || shares(q, p)) throw new FormatError("a key of the log stands in the policies of two times");
    }
    const next = handovers[i]?.next;
    if (next && ownKeys(policies[i + 1]!).some((k, j) => k.text !== next[j])) throw new FormatError("a handover is not to the keys that follow");
  });
  return all;
}

/** The form alone: who signed it matters to whoever accepts the trust file. */
function parseHandover(text: string): Handover {
  const split = text.indexOf("\n\n");
  if (split < 0) throw new FormatError("a handover has no signatures");
  const r = new Lines(text.slice(0, split + 1));
  r.exact(handoverVersion);
  const size = r.parse(parseNumber, r.value("size"));
  const root = r.parse(parseHash, r.value("root"));
  const retired = r.parse(parseHash, r.value("retired"));
  const next = [r.value("new"), r.value("new")];
  next.forEach((k, i) => {
    if ((r.parse(parseKey, k).type === MLDSA44) !== (i === 1)) throw r.fault("is not a log's key, or not in its order");
  });
  r.done();
  // Its signature lines are written as a checkpoint's.
  parseCheckpoint(encode(`${handoverVersion}\n${size}\n${base64(root)}\n\n${text.slice(split + 2)}`));
  return { size, retired, next };
}

const ownKeys = (p: Policy): Key[] => [p.log, ...p.witnesses.filter((w) => w.own).map((w) => w.key!)];
const allKeys = (p: Policy): Key[] => [p.log, ...p.witnesses.map((w) => w.key!)];

/** Whether a key of the one's log is any key of the other. */
const shares = (p: Policy, q: Policy): boolean => ownKeys(p).some((k) => allKeys(q).some((l) => equal(k.public, l.public)));
