// The receipt attached to a certificate: a PDF as the command line program writes it,
// with one embedded file. Any other PDF is none of ours, and the printed text is not
// evidence.

import { maxReceipt } from "../evidence/receipt.ts";

export const maxCertificate = 16 << 20;

/** Whether a file begins as a PDF. */
export const isPDF = (head: Uint8Array): boolean => new TextDecoder().decode(head.subarray(0, 5)) === "%PDF-";

/** Why the receipt cannot be taken out. */
export class CertificateError extends Error {}

const mark = "\n%trialnotary/certificate@v1 ", eof = "%%EOF\n";
const embedded = /<< \/Type \/EmbeddedFile \/Length ([1-9][0-9]{0,6}) \/Filter \/FlateDecode \/Params << \/CheckSum <[0-9a-f]{32}> \/Size ([1-9][0-9]{0,6}) >> >>\n\nstream\n/;

/** The receipt of a certificate; undefined for a PDF that does not say it is one. */
export async function attachedReceipt(pdf: Uint8Array): Promise<Uint8Array | undefined> {
  // One character a byte: what is looked for is ASCII.
  const text = new TextDecoder("latin1").decode(pdf);
  if (!text.includes(mark)) return undefined;
  if (!text.endsWith(eof) || text.indexOf(eof) !== text.length - eof.length) throw new CertificateError("cut off, or saved anew");
  if (text.split("/EmbeddedFile ").length !== 2) throw new CertificateError("not one attached file");
  const found = embedded.exec(text);
  if (!found) throw new CertificateError("attached by another program");
  const length = Number(found[1]), size = Number(found[2]), from = found.index + found[0].length;
  if (size > maxReceipt) throw new CertificateError("too large");
  if (!text.startsWith("\nendstream\n", from + length)) throw new CertificateError("cut off");
  const packed = pdf.slice(from, from + length), receipt = await inflate(packed, size);
  // Not every browser refuses what follows a stream: the stream must need its last byte.
  const less = await inflate(packed.slice(0, -1), size).catch(() => undefined);
  if (less) throw new CertificateError("something follows it");
  return receipt;
}

/** Unpacks a zlib stream of exactly that size. */
async function inflate(packed: Uint8Array<ArrayBuffer>, size: number): Promise<Uint8Array> {
  const out = new Uint8Array(size);
  let n = 0;
  try {
    const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (n + value.length > size) {
        await reader.cancel();
        throw new CertificateError("larger than it says");
      }
      out.set(value, n);
      n += value.length;
    }
  } catch (e) {
    throw e instanceof CertificateError ? e : new CertificateError(`cannot be unpacked: ${String(e)}`);
  }
  if (n !== size) throw new CertificateError("smaller than it says");
  return out;
}
