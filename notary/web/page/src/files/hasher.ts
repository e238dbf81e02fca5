// Starts the hashing worker from a blob: URL, so that the page stays one file.

import source from "worker:hash";
import type { Answer, Ask } from "./hash.ts";

export interface Digests {
  readonly sha256: string;
  readonly sha512: string;
}

/** Hashes a file; undefined if it cannot be read. */
export type HashFile = (file: File, progress: (bytes: number) => void) => Promise<Digests | undefined>;

/** A hasher that works through files one after the other and reads each once. */
export function startHasher(): { hash: HashFile; stop: () => void } {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url);
  const known = new Map<File, Promise<Digests | undefined>>();
  let before: Promise<unknown> = Promise.resolve();
  const one: HashFile = (file, progress) =>
    new Promise((resolve, reject) => {
      worker.onmessage = (m: MessageEvent<Answer>) => {
        const a = m.data;
        if ("done" in a) progress(a.done);
        else resolve("unreadable" in a ? undefined : a);
      };
      worker.onerror = () => reject(new Error("the hashing worker failed"));
      worker.postMessage({ file } satisfies Ask);
    });
  const hash: HashFile = (file, progress) => {
    const digests = known.get(file) ?? before.then(() => one(file, progress));
    known.set(file, digests);
    before = digests.catch(() => undefined);
    return digests;
  };
  return { hash, stop: () => (worker.terminate(), URL.revokeObjectURL(url)) };
}
