// Verifier keys as C2SP signed-note writes them, "name+id+base64 of type and key",
// and their signatures. Participants hold Ed25519 keys (type 0x01); logs and
// witnesses those and three more types.

import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { bytesToNumberLE } from "@noble/curves/utils.js";
import { ml_dsa44 } from "@noble/post-quantum/ml-dsa.js";
import { FormatError, anyBlank, encode, isPlain } from "./text.ts";
import { base64, concat, equal, hex, parseBase64, sha256, uint64be } from "./value.ts";

export const ED25519 = 0x01, P256 = 0x02, COSIGNATURE = 0x04, MLDSA44 = 0x06;

export type Algorithm = "ed25519" | "ecdsa-p256" | "ml-dsa-44" | "sha-256" | "sha-512";

export interface Key {
  readonly name: string;
  readonly id: string; // 8 hex digits
  readonly type: number;
  readonly public: Uint8Array; // for P-256 its DER SubjectPublicKeyInfo
  readonly text: string;
}

/** The names of streams and of participants' keys. */
export const isName = (s: string): boolean => /^[a-z0-9][a-z0-9._-]{0,63}$/.test(s);

/** The rule of signed-note for key names, and the formats' on characters. */
export const isKeyName = (s: string): boolean => s !== "" && isPlain(s) && !s.includes("+") && !anyBlank.test(s);

/** An origin is also the name of the log's keys. */
export const isOrigin = (s: string): boolean => isKeyName(s) && encode(s).length <= 255;

function keyId(name: string, type: number, pub: Uint8Array): string {
  const named = type === P256 ? pub : concat(encode(name + "\n"), Uint8Array.of(type), pub);
  return hex(sha256(named)).slice(0, 8);
}

/** Parses the verifier key of a log, a witness or an auditor. */
export function parseKey(s: string): Key {
  const plus1 = s.indexOf("+"), plus2 = s.indexOf("+", plus1 + 1);
  if (plus1 < 0 || plus2 < 0) throw new FormatError("is no verifier key name+id+base64");
  const name = s.slice(0, plus1), id = s.slice(plus1 + 1, plus2);
  if (!isOrigin(name)) throw new FormatError("holds a verifier key whose name is none");
  const b = parseBase64(s.slice(plus2 + 1));
  if (b.length < 2) throw new FormatError("holds a verifier key without a key");
  const type = b[0]!, pub = b.subarray(1);
  if (id !== keyId(name, type, pub)) throw new FormatError("holds a verifier key whose id does not fit it");
  const right = { [ED25519]: pub.length === 32, [COSIGNATURE]: pub.length === 32, [MLDSA44]: pub.length === 1312, [P256]: isP256(pub) }[type];
  if (!right) throw new FormatError("holds a verifier key of an unknown type or a wrong size");
  return { name, id, type, public: pub, text: s };
}

/** Parses a participant's verifier key. */
export function parseParticipant(s: string): Key {
  const k = parseKey(s);
  if (k.type !== ED25519 || !isName(k.name)) throw new FormatError("does not hold a participant's Ed25519 key");
  return k;
}

// SubjectPublicKeyInfo of an uncompressed P-256 point has one form: this header,
// then 65 bytes.
const p256Header = "3059301306072a8648ce3d020106082a8648ce3d030107034200";

function isP256(der: Uint8Array): boolean {
  if (der.length !== 91 || hex(der.subarray(0, 26)) !== p256Header || der[26] !== 4) return false;
  try {
    p256.Point.fromBytes(der.subarray(26)).assertValidity();
    return true;
  } catch {
    return false;
  }
}

export function algorithmOf(type: number): Algorithm {
  return type === P256 ? "ecdsa-p256" : type === MLDSA44 ? "ml-dsa-44" : "ed25519";
}

/** Whether signatures of that type begin with a time of eight bytes. */
export const isTimed = (type: number): boolean => type === COSIGNATURE || type === MLDSA44;

/**
 * Whether sig is the Ed25519 signature of message: canonical S, and R equal byte
 * for byte to what [S]B − [k]A gives. Signatures that only some readings of the
 * standard accept are thereby read as Go's library reads them.
 */
export function verifyEd25519(pub: Uint8Array, message: Uint8Array, sig: Uint8Array): boolean {
  if (sig.length !== 64) return false;
  const { Point } = ed25519;
  const R = sig.subarray(0, 32), S = bytesToNumberLE(sig.subarray(32));
  if (S >= Point.Fn.ORDER) return false;
  try {
    const A = Point.fromBytes(pub, true);
    const k = Point.Fn.create(bytesToNumberLE(sha512(concat(R, pub, message))));
    const SB = S === 0n ? Point.ZERO : Point.BASE.multiplyUnsafe(S);
    const kA = k === 0n ? Point.ZERO : A.multiplyUnsafe(k);
    return equal(SB.subtract(kA).toBytes(), R);
  } catch {
    return false; // the key is no point
  }
}

/** What is signed: the head of a log. */
export interface Head {
  readonly origin: string;
  readonly size: bigint;
  readonly root: Uint8Array;
  readonly text: string;
}

/** Whether sig, without its key id, is k's signature or cosignature of a head. */
export function verifyHead(k: Key, head: Head, sig: Uint8Array): boolean {
  const text = encode(head.text);
  switch (k.type) {
    case ED25519:
      return verifyEd25519(k.public, text, sig);
    case P256:
      return quietly(() => p256.verify(sig, text, k.public.subarray(26), { format: "der", lowS: false, prehash: true }));
    case COSIGNATURE: {
      if (sig.length !== 72) return false;
      return verifyEd25519(k.public, concat(encode(`cosignature/v1\ntime ${timeOf(sig)}\n`), text), sig.subarray(8));
    }
    case MLDSA44:
      if (sig.length !== 8 + 2420) return false;
      return quietly(() => ml_dsa44.verify(sig.subarray(8), cosignedMessage(k.name, sig.subarray(0, 8), head), k.public));
  }
  return false;
}

/** The time at the beginning of a timed signature. */
export function timeOf(sig: Uint8Array): bigint {
  return new DataView(sig.buffer, sig.byteOffset).getBigUint64(0);
}

/** cosigned_message of C2SP tlog-cosignature, of the subtree that is the whole tree. */
function cosignedMessage(name: string, time: Uint8Array, head: Head): Uint8Array {
  const opaque = (s: string) => concat(Uint8Array.of(encode(s).length), encode(s));
  return concat(encode("subtree/v1\n\0"), opaque(name), time, opaque(head.origin), uint64be(0n), uint64be(head.size), head.root);
}

function quietly(f: () => boolean): boolean {
  try {
    return f();
  } catch {
    return false;
  }
}

/** The text of a key of that name and type. */
export function keyText(name: string, type: number, pub: Uint8Array): string {
  return `${name}+${keyId(name, type, pub)}+${base64(concat(Uint8Array.of(type), pub))}`;
}
