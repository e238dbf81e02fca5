// The container of a receipt: which parts, in which order.

import { Parts, parseArchive } from "../format/archive.ts";
import { FormatError, encode } from "../format/text.ts";
import { parseBase64 } from "../format/value.ts";

/** A statement with its place in the log, as bytes. */
export interface LoggedParts {
  readonly statement: Uint8Array;
  readonly entry: Uint8Array;
  readonly proof: Uint8Array;
}

export interface Receipt extends LoggedParts {
  readonly timestamps: Uint8Array[]; // RFC 3161 tokens, DER
  readonly after?: Uint8Array | undefined; // checkpoint
  readonly grants: LoggedParts[]; // from the signing key's own upward
  readonly registration?: LoggedParts | undefined; // absent where the statement is it
}

export const receiptVersion = "trialnotary/receipt@v1";
export const maxReceipt = 1 << 20;

/** Parses the container; the parts' contents are not read but for timestamps. */
export function parseReceipt(b: Uint8Array): Receipt {
  const parts = new Parts(parseArchive(b, receiptVersion, maxReceipt));
  const take = (name: string) => encode(parts.take(name));
  const logged = (name: string): LoggedParts => ({ statement: take(name), entry: take(`${name}.entry`), proof: take(`${name}.tlog-proof`) });
  const statement = take("statement"), entry = take("entry"), proof = take("proof.tlog-proof");
  const timestamps: Uint8Array[] = [];
  for (let n = 1; parts.next(`timestamp-${n}.tsr`); n++) timestamps.push(token(parts.take(`timestamp-${n}.tsr`)));
  const after = parts.next("after.checkpoint") ? take("after.checkpoint") : undefined;
  const grants: LoggedParts[] = [];
  for (let n = 1; parts.next(`grant-${n}`); n++) grants.push(logged(`grant-${n}`));
  const registration = parts.next("registration") ? logged("registration") : undefined;
  parts.done();
  return { statement, entry, proof, timestamps, after, grants, registration };
}

function token(text: string): Uint8Array {
  const der = parseBase64(text.slice(0, -1));
  if (der.length === 0) throw new FormatError("a timestamp is empty");
  return der;
}
