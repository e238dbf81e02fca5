// The worker that hashes: SHA-256 and SHA-512 of a file, a slice at a time, so that
// a file of any size needs the memory of two slices. It explains in the same manner why
// a file is not what was sealed.

import { createSHA256, createSHA512 } from "hash-wasm";
import { type Hashes, explain } from "../explain/explain.ts";
import type { Finding, Line } from "../explain/finding.ts";

export interface Ask {
  readonly file: File;
  readonly sealed?: Line | undefined; // explain why the file is not this one
}

/** Bytes so far, then the digests or the finding; or that the file cannot be read. */
export type Answer = { done: number } | { sha256: string; sha512: string } | { finding: Finding } | { unreadable: true };

const slice = 8 << 20;

const digests = Promise.all([createSHA256(), createSHA512()]);

self.addEventListener("message", (m: MessageEvent<Ask>) => {
  const { file, sealed } = m.data;
  void (sealed ? explained(file, sealed) : hash(file)).catch((): Answer => ({ unreadable: true })).then((a) => self.postMessage(a));
});

async function hash(file: File): Promise<Answer> {
  const [a, b] = await digests;
  a.init();
  b.init();
  const part = (at: number) => file.slice(at, at + slice).arrayBuffer();
  let next = part(0);
  for (let at = 0; at < file.size; at += slice) {
    const bytes = new Uint8Array(await next);
    if (bytes.length !== Math.min(slice, file.size - at)) return { unreadable: true };
    next = at + slice < file.size ? part(at + slice) : next; // read while hashing
    a.update(bytes);
    b.update(bytes);
    self.postMessage({ done: at + bytes.length } satisfies Answer);
  }
  return { sha256: a.digest("hex"), sha512: b.digest("hex") };
}

const pair = async () => ({ sha256: await createSHA256(), sha512: await createSHA512() });
let hashes: Promise<Hashes> | undefined; // made for the first explanation

async function explained(file: File, sealed: Line): Promise<Answer> {
  hashes ??= Promise.all([pair(), pair(), createSHA256(), createSHA256()]).then(([whole, before, a, b]) => ({ whole, before, content: [a, b] }));
  const finding = await explain(sealed, file.size, async (limit, take) => {
    for (let at = 0; at < limit; at += slice) {
      const bytes = new Uint8Array(await file.slice(at, Math.min(at + slice, limit)).arrayBuffer());
      if (bytes.length !== Math.min(slice, limit - at)) return false;
      take(bytes);
      self.postMessage({ done: at + bytes.length } satisfies Answer);
    }
    return true;
  }, await hashes);
  return finding ? { finding } : { unreadable: true };
}
