// PEM certificates of timestamp authorities (RFC 7468).

import { isDER } from "./der.ts";
import { FormatError } from "./text.ts";

const block = /-----BEGIN CERTIFICATE-----\n((?:[A-Za-z0-9+/=]+\n)+)-----END CERTIFICATE-----\n/g;

/** The DER certificates of a PEM text that holds nothing else. */
export function parsePem(text: string): Uint8Array[] {
  if (text.replace(block, "").trim() !== "") throw new FormatError("tsa.pem holds something that is no PEM certificate");
  return [...text.matchAll(block)].map((m) => {
    let der: Uint8Array;
    try {
      der = Uint8Array.from(atob(m[1]!.replaceAll("\n", "")), (c) => c.charCodeAt(0));
    } catch {
      throw new FormatError("a certificate in tsa.pem is not base64");
    }
    if (!isDER(der)) throw new FormatError("a certificate in tsa.pem cannot be read");
    return der;
  });
}
