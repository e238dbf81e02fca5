// Starts the hashing worker from a blob: URL, so that the page stays one file.

import source from "worker:hash";
import type { Finding, Line } from "../explain/finding.ts";
import type { Answer, Ask } from "./hash.ts";

export interface Digests {
  readonly sha256: string;
  readonly sha512: string;
}

/** Hashes a file; undefined if it cannot be read. */
export type HashFile = (file: File, progress: (bytes: number) => void) => Promise<Digests | undefined>;

/** Says why a file is not the sealed one; undefined if it cannot be read. */
export type ExplainFile = (file: File, sealed: Line, progress: (bytes: number) => void) => Promise<Finding | undefined>;

export interface Hasher {
  readonly hash: HashFile;
  readonly explain: ExplainFile;
  readonly stop: () => void;
}

/** A hasher that works through files one after the other; it hashes each once. */
export function startHasher(): Hasher {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(url);
  const known = new Map<File, Promise<Digests | undefined>>();
  const explained = new Map<string, Promise<Finding | undefined>>(); // by what was sealed
  const of = new Map<File, number>();
  let before: Promise<unknown> = Promise.resolve();
  const ask = (question: Ask, progress: (bytes: number) => void): Promise<Exclude<Answer, { done: number }>> =>
    new Promise((resolve, reject) => {
      worker.onmessage = (m: MessageEvent<Answer>) => {
        const a = m.data;
        if ("done" in a) progress(a.done);
        else resolve(a);
      };
      worker.onerror = () => reject(new Error("the hashing worker failed"));
      worker.postMessage(question);
    });
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = before.then(work);
    before = result.catch(() => undefined);
    return result;
  };
  const hash: HashFile = (file, progress) => {
    const digests = known.get(file) ?? inTurn(() => ask({ file }, progress).then((a) => ("sha256" in a ? a : undefined)));
    known.set(file, digests);
    return digests;
  };
  const explain: ExplainFile = (file, sealed, progress) => {
    of.set(file, of.get(file) ?? of.size);
    const key = `${of.get(file)} ${sealed.sha512}`;
    const finding = explained.get(key) ?? inTurn(() => ask({ file, sealed }, progress).then((a) => ("finding" in a ? a.finding : undefined)));
    explained.set(key, finding);
    return finding;
  };
  return { hash, explain, stop: () => (worker.terminate(), URL.revokeObjectURL(url)) };
}
