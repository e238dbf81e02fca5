// Signed notes of participants: a text, an empty line, exactly one signature line.

import { type Key, isName, verifyEd25519 } from "./key.ts";
import { FormatError, encode } from "./text.ts";
import { hex, parseBase64 } from "./value.ts";

export interface SignedText {
  readonly text: string; // ends with a line feed
  readonly keyName: string;
  readonly keyId: string;
  readonly signature: Uint8Array;
}

/** Takes a note apart; nothing is verified. */
export function parseNote(note: string): SignedText {
  const split = note.lastIndexOf("\n\n");
  if (split < 1) throw new FormatError("it is not a text, an empty line and a signature");
  const text = note.slice(0, split + 1);
  const m = /^— ([^ ]+) ([A-Za-z0-9+/=]+)\n$/.exec(note.slice(split + 2));
  if (!m || !isName(m[1]!)) throw new FormatError("it does not end with one signature line of a named key");
  const raw = parseBase64(m[2]!);
  if (raw.length !== 68) throw new FormatError("it does not hold an Ed25519 signature");
  return { text, keyName: m[1]!, keyId: hex(raw.subarray(0, 4)), signature: raw.subarray(4) };
}

/** Whether the note names the key and carries its signature. */
export function signedWith(n: SignedText, k: Key): boolean {
  return n.keyName === k.name && n.keyId === k.id && verifyEd25519(k.public, encode(n.text), n.signature);
}
