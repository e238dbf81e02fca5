// A log of its own, whose operator puts in anything: trials in which keys are
// granted, revoked and succeeded at random, rightly and wrongly, and receipts and
// histories of them. The same seed gives the same trials, but for signatures.

import { ed25519 } from "@noble/curves/ed25519.js";
import { ml_dsa44 } from "@noble/post-quantum/ml-dsa.js";
import { ED25519, MLDSA44, keyText } from "../src/format/key.ts";
import { fold, noHead } from "../src/format/streammap.ts";
import { streamIdOf } from "../src/format/statement.ts";
import { leafHash, treeHead } from "../src/format/tree.ts";
import { encode } from "../src/format/text.ts";
import { base64, concat, formatTime, fromHex, hex, sha256, uint64be } from "../src/format/value.ts";

export const origin = "log.example/random", trial = "NCT07654321";
const start = Date.parse("2026-01-01T00:00:00Z") / 1000, hour = 3600;

interface Signer {
  readonly name: string;
  readonly secret: Uint8Array;
  readonly text: string; // verifier key
}

export interface Sealed {
  readonly note: string;
  readonly id: string;
  readonly stream: string;
  readonly entry: string;
  readonly index: number;
}

export class World {
  private readonly leaves: Uint8Array[] = [];
  private readonly counts = new Map<string, { count: number; head: Uint8Array }>();
  readonly sealed: Sealed[] = [];
  private readonly salts = new Map<string, Uint8Array>();
  private readonly log: Signer;
  private readonly second: { secretKey: Uint8Array; publicKey: Uint8Array };
  private batches = 0;
  private batchLeaf = "";
  private drawn = 0;

  constructor(private readonly seed: string) {
    this.log = this.signer(origin);
    this.second = ml_dsa44.keygen(sha256(encode(`${seed} second`)));
  }

  /** 32 bytes that only the seed decides. */
  bytes(): Uint8Array {
    return sha256(encode(`${this.seed} ${this.drawn++}`));
  }

  /** A number below n. */
  below(n: number): number {
    return new DataView(this.bytes().buffer).getUint32(0) % n;
  }

  pick<T>(all: readonly T[]): T {
    return all[this.below(all.length)]!;
  }

  signer(name: string): Signer {
    const secret = sha256(encode(`${this.seed} key ${name}`));
    return { name, secret, text: keyText(name, ED25519, ed25519.getPublicKey(secret)) };
  }

  salt(stream: string): Uint8Array {
    if (stream === "registration") return new Uint8Array(32);
    if (!this.salts.has(stream)) this.salts.set(stream, this.bytes());
    return this.salts.get(stream)!;
  }

  streamId(stream: string): string {
    return streamIdOf(origin, trial, stream, this.salt(stream));
  }

  get now(): number {
    return start + this.batches * hour;
  }

  /** A statement's note; the lines stand between kind and time. */
  note(stream: string, kind: string, lines: string[], by: Signer, signedWith = by, of = trial): string {
    const text = `trialnotary/statement@v1\nlog ${origin}\ntrial ${of}\nstream ${stream} ${base64(this.salt(stream))}\nkind ${kind}\n${lines.map((l) => l + "\n").join("")}time ${formatTime(this.now)}\nsalt ${base64(this.bytes())}\n`;
    return `${text}\n— ${by.name} ${base64(concat(fromHex(by.text.split("+")[1]!), ed25519.sign(encode(text), signedWith.secret)))}\n`;
  }

  /** Seals notes as a batch, each in the stream named. */
  seal(notes: { stream: string; note: string }[]): void {
    const number = ++this.batches, first = this.leaves.length;
    for (const { stream, note } of notes) {
      const id = hex(sha256(encode(note))), streamId = this.streamId(stream), index = this.leaves.length;
      const v = this.counts.get(streamId) ?? { count: 0, head: noHead };
      const entry = `trialnotary/entry@v1\nindex ${index}\nbatch ${number} ${formatTime(this.now)}\nstream ${streamId}\nseq ${v.count + 1}\nstatement ${id}\n`;
      const leaf = leafHash(encode(entry));
      this.leaves.push(leaf);
      this.counts.set(streamId, { count: v.count + 1, head: fold(v.head, leaf) });
      this.sealed.push({ note, id, stream, entry, index });
    }
    this.batchLeaf = `trialnotary/batch@v1\nindex ${this.leaves.length}\nbatch ${number} ${formatTime(this.now)}\nfirst ${first}\nstreams ${this.counts.size} ${base64(this.mapRoot([...this.counts.keys()], 0))}\n`;
    this.leaves.push(leafHash(encode(this.batchLeaf)));
  }

  private mapRoot(ids: string[], depth: number): Uint8Array {
    if (ids.length === 0) return noHead;
    if (ids.length === 1) {
      const v = this.counts.get(ids[0]!)!;
      return sha256(concat(Uint8Array.of(0), fromHex(ids[0]!), uint64be(BigInt(v.count)), v.head));
    }
    const [l, r] = halves(ids, depth);
    return sha256(concat(Uint8Array.of(1), this.mapRoot(l, depth + 1), this.mapRoot(r, depth + 1)));
  }

  private mapProof(id: string): string {
    const siblings: Uint8Array[] = [];
    let ids = [...this.counts.keys()];
    for (let depth = 0; ids.length > 1; depth++) {
      const [l, r] = halves(ids, depth);
      const own = l.includes(id) ? l : r;
      siblings.unshift(this.mapRoot(own === l ? r : l, depth + 1));
      ids = own;
    }
    const v = this.counts.get(id)!;
    return `trialnotary/map-proof@v1\nstream ${id}\ncount ${v.count}\nhead ${base64(v.head)}\n${siblings.map((s) => `sibling ${base64(s)}\n`).join("")}`;
  }

  /** A checkpoint over all of the log, signed with both its keys. */
  private checkpoint(): string {
    const root = treeHead(this.leaves), size = this.leaves.length;
    const text = `${origin}\n${size}\n${base64(root)}\n`;
    const time = uint64be(BigInt(this.now)), opaque = concat(Uint8Array.of(origin.length), encode(origin));
    const cosigned = concat(encode("subtree/v1\n\0"), opaque, time, opaque, uint64be(0n), uint64be(BigInt(size)), root);
    const line = (key: string, sig: Uint8Array) => `— ${origin} ${base64(concat(fromHex(key.split("+")[1]!), sig))}\n`;
    return `${text}\n${line(this.log.text, ed25519.sign(encode(text), this.log.secret))}${line(this.secondKey, concat(time, ml_dsa44.sign(cosigned, this.second.secretKey)))}`;
  }

  private get secondKey(): string {
    return keyText(origin, MLDSA44, this.second.publicKey);
  }

  trust(sponsor: Signer): string {
    return `trialnotary/trust@v1\n-- policy --\nlog ${this.log.text}\nwitness ${origin} ${this.secondKey}\ngroup both all ${origin}\nquorum both\n-- sponsors --\n${sponsor.text}\n`;
  }

  private proof(index: number, checkpoint: string): string {
    return `c2sp.org/tlog-proof@v1\nindex ${index}\n${path(this.leaves, index).map((h) => base64(h) + "\n").join("")}\n${checkpoint}`;
  }

  /** A history of these streams, with the statements that are not closed. */
  history(streams: string[], closed: (s: Sealed) => boolean): string {
    let h = `trialnotary/history@v1\n-- batch --\n${this.batchLeaf}-- batch.tlog-proof --\n${this.proof(this.leaves.length - 1, this.checkpoint())}`;
    streams.forEach((name, i) => {
      const own = this.sealed.filter((s) => s.stream === name);
      h += `-- ${i + 1}/map-proof --\n${this.mapProof(this.streamId(name))}-- ${i + 1}/entries --\n${own.map((s) => s.entry).join("")}`;
      own.forEach((s, seq) => {
        if (!closed(s)) h += `-- ${i + 1}/statement-${seq + 1} --\n${s.note}`;
      });
    });
    return h;
  }

  /** A receipt of a statement with these grants, in this order. */
  receipt(s: Sealed, grants: Sealed[], registration: Sealed): string {
    const head = this.checkpoint();
    const logged = (name: string, x: Sealed) => `-- ${name} --\n${x.note}-- ${name}.entry --\n${x.entry}-- ${name}.tlog-proof --\n${this.proof(x.index, head)}`;
    return `trialnotary/receipt@v1\n-- statement --\n${s.note}-- entry --\n${s.entry}-- proof.tlog-proof --\n${this.proof(s.index, head)}${grants.map((g, i) => logged(`grant-${i + 1}`, g)).join("")}${logged("registration", registration)}`;
  }
}

function halves(ids: string[], depth: number): [string[], string[]] {
  const right = (id: string) => ((fromHex(id)[depth >> 3]! >> (7 - (depth % 8))) & 1) === 1;
  return [ids.filter((id) => !right(id)), ids.filter(right)];
}

/** The inclusion path of a leaf (RFC 6962 §2.1.1). */
function path(leaves: Uint8Array[], index: number): Uint8Array[] {
  if (leaves.length <= 1) return [];
  let k = 1;
  while (2 * k < leaves.length) k *= 2;
  return index < k ? [...path(leaves.slice(0, k), index), treeHead(leaves.slice(k))] : [...path(leaves.slice(k), index - k), treeHead(leaves.slice(0, k))];
}

