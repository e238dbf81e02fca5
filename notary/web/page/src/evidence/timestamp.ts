// RFC 3161 tokens over a checkpoint, as of their own time: signed by a certificate
// for timestamping that leads to a root of the visitor's trust file. A token that
// does not verify proves nothing and takes nothing away.

import { fromBER, OctetString, Sequence } from "asn1js";
import * as pki from "pkijs";
import type { Trust } from "../format/trust.ts";
import { type Seconds, equal, sha256 } from "../format/value.ts";

export interface TimestampVerdict {
  readonly at?: Seconds; // proved
  readonly authority?: string; // the certificate's common name
  readonly problem?: "noRoots" | "noCrypto" | "form" | "otherImprint" | "purpose" | "signature" | "tooMany";
}

const maxTokens = 8, maxToken = 64 << 10, maxCertificates = 16;
const signedData = "1.2.840.113549.1.7.2", tstInfo = "1.2.840.113549.1.9.16.1.4", oidSha256 = "2.16.840.1.101.3.4.2.1";
const extendedKeyUsage = "2.5.29.37", timeStamping = "1.3.6.1.5.5.7.3.8", commonName = "2.5.4.3";
const signingCertificateV2 = "1.2.840.113549.1.9.16.2.47", signingCertificate = "1.2.840.113549.1.9.16.2.12";

/** Checks each token over those bytes; a trust file without roots checks none. */
export async function verifyTimestamps(tokens: Uint8Array[], bytes: Uint8Array, trust: Trust | undefined): Promise<TimestampVerdict[]> {
  return Promise.all(tokens.map(async (t, i): Promise<TimestampVerdict> => {
    if (!trust || trust.tsa.length === 0) return { problem: "noRoots" };
    if (i >= maxTokens || t.length > maxToken) return { problem: "tooMany" };
    // Browsers have it on https:, on localhost and on file:, not on plain http:.
    if (!globalThis.crypto?.subtle) return { problem: "noCrypto" };
    try {
      return await verifyToken(t, bytes, trust.tsa.map(certificate));
    } catch {
      return { problem: "form" };
    }
  }));
}

const copy = (b: Uint8Array): ArrayBuffer => b.slice().buffer;

const certificate = (der: Uint8Array): pki.Certificate => pki.Certificate.fromBER(copy(der));

async function verifyToken(token: Uint8Array, bytes: Uint8Array, roots: pki.Certificate[]): Promise<TimestampVerdict> {
  const ber = fromBER(copy(token));
  const content = new pki.ContentInfo({ schema: ber.result });
  if (ber.offset !== token.length || content.contentType !== signedData) return { problem: "form" };
  const signed = new pki.SignedData({ schema: content.content });
  const info = signed.encapContentInfo;
  const certificates = (signed.certificates ?? []).filter((c) => c instanceof pki.Certificate);
  if (info.eContentType !== tstInfo || !info.eContent || signed.signerInfos.length !== 1 || certificates.length > maxCertificates) return { problem: "form" };
  const tst = pki.TSTInfo.fromBER(info.eContent.getValue());
  if (tst.messageImprint.hashAlgorithm.algorithmId !== oidSha256 || !equal(new Uint8Array(tst.messageImprint.hashedMessage.valueBlock.valueHexView), sha256(bytes))) {
    return { problem: "otherImprint" };
  }
  // A root may be the signer; then it need not come with the token.
  const signer = [...certificates, ...roots].find((c) => isSigner(c, signed.signerInfos[0]!));
  if (!signer || !isForTimestamping(signer)) return { problem: "purpose" };
  if (!(await namesCertificate(signed.signerInfos[0]!, signer))) return { problem: "signature" };
  signed.certificates = [...certificates, ...roots];
  const good = await signed.verify({ signer: 0, data: copy(bytes), trustedCerts: roots, checkDate: tst.genTime, checkChain: true }).catch(() => false);
  if (!good) return { problem: "signature" };
  const name = signer.subject.typesAndValues.find((t) => t.type === commonName) ?? signer.subject.typesAndValues.at(-1);
  return { at: Math.floor(tst.genTime.getTime() / 1000), authority: String(name?.value.valueBlock.value ?? "") };
}

function isSigner(c: pki.Certificate, s: pki.SignerInfo): boolean {
  return s.sid instanceof pki.IssuerAndSerialNumber && c.issuer.isEqual(s.sid.issuer) && c.serialNumber.isEqual(s.sid.serialNumber);
}

/** The one extended key usage, critical, is timestamping (RFC 3161 §2.3). */
function isForTimestamping(c: pki.Certificate): boolean {
  const usages = (c.extensions ?? []).filter((e) => e.extnID === extendedKeyUsage);
  const purposes = (usages[0]?.parsedValue as pki.ExtKeyUsage | undefined)?.keyPurposes;
  return usages.length === 1 && usages[0]!.critical && purposes?.length === 1 && purposes[0] === timeStamping;
}

/** The signed attributes name the certificate by hash (RFC 5035), so that no other with its key can stand in. */
async function namesCertificate(s: pki.SignerInfo, c: pki.Certificate): Promise<boolean> {
  const attribute = s.signedAttrs?.attributes.find((a) => a.type === signingCertificateV2 || a.type === signingCertificate);
  const first = within(within(within(attribute?.values[0], 0), 0), undefined);
  if (!attribute || !first) return false;
  // ESSCertIDv2: an algorithm where it is not SHA-256, then the hash; ESSCertID: SHA-1.
  const hash = first.find((v): v is OctetString => v instanceof OctetString);
  const algorithm = first[0] instanceof Sequence ? new pki.AlgorithmIdentifier({ schema: first[0] }).algorithmId : oidSha256;
  const name = attribute.type === signingCertificate ? "SHA-1" : ({ [oidSha256]: "SHA-256", "2.16.840.1.101.3.4.2.2": "SHA-384", "2.16.840.1.101.3.4.2.3": "SHA-512" } as Record<string, string>)[algorithm];
  if (!hash || !name) return false;
  const digest = await crypto.subtle.digest(name, c.toSchema(true).toBER());
  return equal(new Uint8Array(digest), new Uint8Array(hash.valueBlock.valueHexView));
}

/** The members of a sequence, or one of them. */
function within(v: unknown, i: number): unknown;
function within(v: unknown, i: undefined): unknown[] | undefined;
function within(v: unknown, i: number | undefined): unknown {
  if (!(v instanceof Sequence)) return undefined;
  return i === undefined ? v.valueBlock.value : v.valueBlock.value[i];
}
