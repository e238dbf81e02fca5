// The worker that hashes: SHA-256 and SHA-512 of a file, a slice at a time, so that
// a file of any size needs the memory of two slices.

import { createSHA256, createSHA512 } from "hash-wasm";

export interface Ask {
  readonly file: File;
}

/** Bytes so far, then the digests; or that the file cannot be read. */
export type Answer = { done: number } | { sha256: string; sha512: string } | { unreadable: true };

const slice = 8 << 20;

const digests = Promise.all([createSHA256(), createSHA512()]);

self.addEventListener("message", (m: MessageEvent<Ask>) => {
  void hash(m.data.file).catch((): Answer => ({ unreadable: true })).then((a) => self.postMessage(a));
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
