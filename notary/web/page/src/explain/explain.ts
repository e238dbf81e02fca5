// Reads a file in at most a few passes, a slice at a time, and says why it differs.

import { isKnown, newDigest } from "../content/content.ts";
import type { Hash } from "../content/canonical.ts";
import type { Finding, Line } from "./finding.ts";
import { Rewriter, candidates, changesOf } from "./rewrite.ts";
import { Shape } from "./shape.ts";

/** Reads the file from its beginning, at most limit bytes; false if it cannot be read to there. */
export type Pass = (limit: number, take: (b: Uint8Array) => void) => Promise<boolean>;

/** Hashes that nothing else uses: of the whole file, of as much as was sealed, and of what it says. */
export interface Hashes {
  readonly whole: Pair;
  readonly before: Pair;
  readonly content: readonly [Hash, Hash];
}

export interface Pair {
  readonly sha256: Hash;
  readonly sha512: Hash;
}

const begin = (p: Pair): void => {
  p.sha256.init();
  p.sha512.init();
};
const update = (p: Pair, b: Uint8Array): void => {
  p.sha256.update(b);
  p.sha512.update(b);
};
/** Both digests are asked for, so that the pair can begin anew. */
const are = (p: Pair, s: Line): boolean => [p.sha256.digest("hex") === s.sha256, p.sha512.digest("hex") === s.sha512].every((ok) => ok);

/** Undefined if the file cannot be read. */
export async function explain(sealed: Line, size: number, pass: Pass, hashes: Hashes): Promise<Finding | undefined> {
  const { whole, before } = hashes, shape = new Shape(), head: number[] = [];
  const profile = sealed.content && isKnown(sealed.content.profile) ? sealed.content.profile : undefined;
  const content = profile && newDigest(profile, ...hashes.content);
  begin(whole);
  begin(before);
  const read = await pass(size, (b) => {
    if (head.length < 4) head.push(...b.subarray(0, 4 - head.length));
    if (shape.size < sealed.size) update(before, b.subarray(0, sealed.size - shape.size));
    update(whole, b);
    content?.write(b);
    shape.take(b);
  });
  if (!read) return undefined;
  shape.end();
  const found = (cause: Finding["cause"], more: Partial<Finding> = {}): Finding => ({ cause, changes: [], binary: false, profile: "", more: 0, ...more });
  if (are(whole, sealed)) return found("as-sealed");
  for (const t of candidates(shape, sealed.size)) {
    begin(whole);
    const r = new Rewriter(t, (b) => update(whole, b));
    if (!(await pass(shape.body, (b) => r.write(b)))) return undefined;
    r.end();
    if (are(whole, sealed)) return found("rewritten", { changes: changesOf(t, shape), binary: shape.zero });
  }
  const says = content?.sum();
  if (profile && says === sealed.content!.sha256) return found("same-data", { profile });
  const unreadable = profile !== undefined && says === undefined;
  if (size > sealed.size && sealed.size > 0 && are(before, sealed)) return found("longer", { more: size - sealed.size });
  if (size < sealed.size && (unreadable || size === 0)) return found("cut-off");
  if (profile) return found(unreadable ? "unreadable" : "other-data", { profile });
  return found(String.fromCharCode(...head) === "PK\x03\x04" ? "zip" : "unknown");
}
