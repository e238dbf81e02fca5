// RFC 3161 tokens, as of their own time: signed by a certificate
// for timestamping that leads to a root of the visitor's trust file. A token that
// does not verify proves nothing and takes nothing away. Renewals are tokens over a
// whole receipt, which keep those before them when their algorithms have ended.

import { fromBER, ObjectIdentifier, OctetString, Sequence } from "asn1js";
import * as pki from "pkijs";
import { isDER } from "../format/der.ts";
import type { Algorithm } from "../format/key.ts";
import { type Trust, isAccepted } from "../format/trust.ts";
import { type Seconds, equal } from "../format/value.ts";
import { type Revocation, revocationsOf } from "./revocation.ts";

export interface TimestampVerdict {
  readonly at?: Seconds; // proved
  readonly authority?: string; // the certificate's common name
  readonly problem?: "noRoots" | "noCrypto" | "form" | "otherImprint" | "purpose" | "signature" | "revoked" | "ended" | "tooMany";
}

/** What a receipt's tokens are over: its checkpoint, and for each renewal the receipt as it was before. */
export interface Stamped {
  readonly timestamps: Uint8Array[];
  readonly checkpoint: Uint8Array;
  readonly renewals: { readonly token: Uint8Array; readonly over: Uint8Array }[];
}

export interface StampVerdicts {
  readonly timestamps: TimestampVerdict[];
  readonly renewals: TimestampVerdict[];
}

interface Token extends TimestampVerdict {
  readonly algorithms?: Algorithm[];
  readonly revocations?: Revocation[];
}

const maxTokens = 8, maxToken = 64 << 10, maxCertificates = 8;
const p256 = "1.2.840.10045.3.1.7", ed25519 = "1.3.101.112";
const signedData = "1.2.840.113549.1.7.2", tstInfo = "1.2.840.113549.1.9.16.1.4", oidSha256 = "2.16.840.1.101.3.4.2.1", oidSha512 = "2.16.840.1.101.3.4.2.3";
const extendedKeyUsage = "2.5.29.37", timeStamping = "1.3.6.1.5.5.7.3.8", commonName = "2.5.4.3";
const signingCertificateV2 = "1.2.840.113549.1.9.16.2.47";

/**
 * Judges the renewals, the last one first and as of now, each before it as of the time of
 * the one after it that counts; then the timestamps as of the first. A trust file without
 * roots checks none.
 */
export async function verifyStamps(s: Stamped, trust: Trust | undefined, now: Seconds): Promise<StampVerdicts> {
  const read = (token: Uint8Array, i: number, bytes: Uint8Array, hash: string) => readToken(token, i, bytes, hash, trust);
  const renewals = await Promise.all(s.renewals.map((r, i) => read(r.token, i, r.over, oidSha512)));
  const timestamps = await Promise.all(s.timestamps.map((t, i) => read(t, i, s.checkpoint, oidSha256)));
  let at = now, shown: Seconds | undefined; // by then a token is known to have existed
  const judge = ({ algorithms = [], revocations = [], ...v }: Token): TimestampVerdict => {
    if (revocations.some((r) => v.at! >= r.at || (r.ended && !(shown !== undefined && shown < r.at)))) return { problem: "revoked" };
    return algorithms.every((a) => isAccepted(trust!, a, at)) ? v : { problem: "ended" };
  };
  const judged = renewals.reverse().map((t) => {
    const v = judge(t);
    if (v.at !== undefined) at = shown = v.at;
    return v;
  }).reverse();
  return { timestamps: timestamps.map(judge), renewals: judged };
}

async function readToken(token: Uint8Array, i: number, bytes: Uint8Array, hash: string, trust: Trust | undefined): Promise<Token> {
  if (!trust || trust.tsa.length === 0) return { problem: "noRoots" };
  if (i >= maxTokens || token.length > maxToken) return { problem: "tooMany" };
  // Browsers have it on https:, on localhost and on file:, not on plain http:.
  if (!globalThis.crypto?.subtle) return { problem: "noCrypto" };
  try {
    return await verifyToken(token, bytes, hash, trust.tsa.map(certificate));
  } catch {
    return { problem: "form" };
  }
}

const digests: Record<string, string> = { [oidSha256]: "SHA-256", "2.16.840.1.101.3.4.2.2": "SHA-384", [oidSha512]: "SHA-512" };

const copy = (b: Uint8Array): ArrayBuffer => b.slice().buffer;

const certificate = (der: Uint8Array): pki.Certificate => pki.Certificate.fromBER(copy(der));

async function verifyToken(token: Uint8Array, bytes: Uint8Array, hash: string, roots: pki.Certificate[]): Promise<Token> {
  if (!isDER(token)) return { problem: "form" };
  const ber = fromBER(copy(token));
  const content = new pki.ContentInfo({ schema: ber.result });
  if (ber.offset !== token.length || content.contentType !== signedData) return { problem: "form" };
  const signed = new pki.SignedData({ schema: content.content });
  const info = signed.encapContentInfo;
  const certificates = (signed.certificates ?? []).filter((c) => c instanceof pki.Certificate);
  if (info.eContentType !== tstInfo || !info.eContent || signed.signerInfos.length !== 1 || certificates.length > maxCertificates) return { problem: "form" };
  const tst = pki.TSTInfo.fromBER(info.eContent.getValue());
  if (tst.version !== 1 || tst.extensions?.some((e) => e.critical)) return { problem: "form" };
  const imprint = new Uint8Array(await crypto.subtle.digest(digests[hash]!, copy(bytes)));
  if (tst.messageImprint.hashAlgorithm.algorithmId !== hash || !equal(new Uint8Array(tst.messageImprint.hashedMessage.valueBlock.valueHexView), imprint)) {
    return { problem: "otherImprint" };
  }
  const by = signed.signerInfos[0]!, signer = certificates.find((c) => isSigner(c, by));
  if (!signer) return { problem: "form" };
  if (!isForTimestamping(signer)) return { problem: "purpose" };
  if (!digests[by.digestAlgorithm.algorithmId] || !(await namesCertificate(by, signer))) return { problem: "signature" };
  const revocations = await revocationsOf(signed, signer, certificates, roots);
  signed.crls = signed.ocsps = []; // judged here, as of the token's time
  signed.certificates = [...certificates, ...roots];
  const good = await signed.verify({ signer: 0, data: copy(bytes), trustedCerts: roots, checkDate: tst.genTime, checkChain: true }).catch(() => false);
  if (!good) return { problem: "signature" };
  const name = signer.subject.typesAndValues.find((t) => t.type === commonName) ?? signer.subject.typesAndValues.at(-1);
  return { at: Math.floor(tst.genTime.getTime() / 1000), authority: String(name?.value.valueBlock.value ?? ""), algorithms: algorithmsOf(hash, by, signer), revocations };
}

/** What a token rests on, of what trust files name: the hashes of its imprint and signature, and the signature's key. */
function algorithmsOf(hash: string, s: pki.SignerInfo, signer: pki.Certificate): Algorithm[] {
  const key = signer.subjectPublicKeyInfo.algorithm, curve = key.algorithmParams;
  const names: (Algorithm | undefined)[] = [hash, s.digestAlgorithm.algorithmId].map((h) => ({ [oidSha256]: "sha-256", [oidSha512]: "sha-512" } as const)[h]);
  if (curve instanceof ObjectIdentifier && curve.valueBlock.toString() === p256) names.push("ecdsa-p256");
  if (key.algorithmId === ed25519) names.push("ed25519");
  return names.filter((n) => n !== undefined);
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

/** The signed attributes name the certificate by SHA-256 or better (RFC 5035), so that no other with its key can stand in. */
async function namesCertificate(s: pki.SignerInfo, c: pki.Certificate): Promise<boolean> {
  const attribute = s.signedAttrs?.attributes.find((a) => a.type === signingCertificateV2);
  const first = within(within(within(attribute?.values[0], 0), 0), undefined);
  if (!attribute || !first) return false;
  // ESSCertIDv2: an algorithm where it is not SHA-256, then the hash.
  const hash = first.find((v): v is OctetString => v instanceof OctetString);
  const algorithm = first[0] instanceof Sequence ? new pki.AlgorithmIdentifier({ schema: first[0] }).algorithmId : oidSha256;
  const name = digests[algorithm];
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
