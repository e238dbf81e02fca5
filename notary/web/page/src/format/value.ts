// Numbers, hashes, ids and times as every format writes them.

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes } from "@noble/hashes/utils.js";
import { FormatError, encode } from "./text.ts";

export { sha256, bytesToHex as hex, concatBytes as concat };

const max64 = (1n << 64n) - 1n;

/** A decimal number below 2^64 without sign or leading zero. */
export function parseNumber(s: string): bigint {
  if (!/^(0|[1-9][0-9]{0,19})$/.test(s) || BigInt(s) > max64) throw new FormatError("holds no decimal number of 64 bits without leading zeros");
  return BigInt(s);
}

/** Canonical padded base64 (RFC 4648 §4). */
export function parseBase64(s: string): Uint8Array {
  if (s.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(s)) {
    const raw = atob(s);
    const b = Uint8Array.from(raw, (c) => c.charCodeAt(0));
    if (base64(b) === s) return b;
  }
  throw new FormatError("is not canonical base64");
}

export function base64(b: Uint8Array): string {
  let s = "";
  for (let i = 0; i < b.length; i += 0x8000) s += String.fromCharCode(...b.subarray(i, i + 0x8000));
  return btoa(s);
}

/** Base64 of 32 bytes. */
export function parseHash(s: string): Uint8Array {
  const b = parseBase64(s);
  if (b.length !== 32) throw new FormatError(`holds ${b.length} bytes where 32 are due`);
  return b;
}

/** A statement or stream id stays the text it is: 64 lowercase hex digits. */
export function parseId(s: string): string {
  if (!/^[0-9a-f]{64}$/.test(s)) throw new FormatError("does not hold 64 lowercase hex digits");
  return s;
}

/** Lowercase hex digits of a digest of so many bytes. */
export function parseDigest(bytes: number, s: string): string {
  if (s.length !== 2 * bytes || !/^[0-9a-f]*$/.test(s)) throw new FormatError(`does not hold ${2 * bytes} lowercase hex digits`);
  return s;
}

export function fromHex(s: string): Uint8Array {
  return Uint8Array.from({ length: s.length / 2 }, (_, i) => parseInt(s.slice(2 * i, 2 * i + 2), 16));
}

/** Whole seconds since 1970, which hold every RFC 3339 time. */
export type Seconds = number;

/** RFC 3339 UTC in whole seconds, with Z. */
export function parseTime(s: string): Seconds {
  const t = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$/.test(s) ? Date.parse(s) : NaN;
  // Date.parse takes 24:00:00 and may take days that do not exist.
  if (Number.isNaN(t) || formatTime(t / 1000) !== s) throw new FormatError("does not hold a time like 2026-11-22T13:29:00Z");
  return t / 1000;
}

export function formatTime(t: Seconds): string {
  return new Date(t * 1000).toISOString().replace(".000Z", "Z");
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((v, i) => v === b[i]);
}

/** Orders texts by their UTF-8 bytes. */
export function compareBytes(a: string, b: string): number {
  const x = encode(a), y = encode(b);
  for (let i = 0; i < x.length && i < y.length; i++) {
    if (x[i] !== y[i]) return x[i]! - y[i]!;
  }
  return x.length - y.length;
}

/** The first 40 hex digits in upper case, in groups of four. */
export function fingerprint(sum: Uint8Array): string {
  return bytesToHex(sum).slice(0, 40).toUpperCase().match(/.{4}/g)!.join("-");
}

/** A fingerprint as people type it, in its one form; undefined if it is none. */
export function parseFingerprint(typed: string): string | undefined {
  const digits = typed.replace(/[- ]/g, "").toUpperCase();
  return /^[0-9A-F]{40}$/.test(digits) ? digits.match(/.{4}/g)!.join("-") : undefined;
}

export function uint64be(n: bigint): Uint8Array {
  const b = new Uint8Array(8);
  new DataView(b.buffer).setBigUint64(0, n);
  return b;
}
