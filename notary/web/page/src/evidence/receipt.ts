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
  readonly renewals: { readonly token: Uint8Array; readonly over: Uint8Array }[]; // the same, each over the receipt before it
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
  const timestamps = tokens(parts, "timestamp");
  const renewals = tokens(parts, "renewal").map((token, i, all) => ({ token, over: before(b, i + 1, all.length) }));
  const after = parts.next("after.checkpoint") ? take("after.checkpoint") : undefined;
  const grants: LoggedParts[] = [];
  for (let n = 1; parts.next(`grant-${n}`); n++) grants.push(logged(`grant-${n}`));
  const registration = parts.next("registration") ? logged("registration") : undefined;
  parts.done();
  return { statement, entry, proof, timestamps, renewals, after, grants, registration };
}

function tokens(parts: Parts, kind: string): Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let n = 1; parts.next(`${kind}-${n}.tsr`); n++) all.push(token(parts.take(`${kind}-${n}.tsr`)));
  return all;
}

/** The receipt as it was before renewal n: without that and those after it. Each is two lines. */
function before(b: Uint8Array, n: number, last: number): Uint8Array {
  const lines = new TextDecoder().decode(b).split("\n");
  lines.splice(lines.indexOf(`-- renewal-${n}.tsr --`), 2 * (last - n + 1));
  return encode(lines.join("\n"));
}

function token(text: string): Uint8Array {
  const der = parseBase64(text.slice(0, -1));
  if (der.length === 0) throw new FormatError("a timestamp is empty");
  return der;
}
