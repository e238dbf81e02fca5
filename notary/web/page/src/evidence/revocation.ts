// What a token itself says of revocation: the CRLs and OCSP responses that were put
// into it, in RevocationValues (RFC 5126, section 6.3.4) or as CMS has them, about the
// certificates it rests on.

import { type BaseBlock, Enumerated, GeneralizedTime, fromBER } from "asn1js";
import * as pki from "pkijs";
import type { Seconds } from "../format/value.ts";

/** A certificate was revoked; where ended, for a reason that ends all it ever signed. */
export interface Revocation {
  readonly at: Seconds;
  readonly ended: boolean;
}

const revocationValues = "1.2.840.113549.1.9.16.2.24", reasonCode = "2.5.29.21";
// Unspecified, affiliation changed, superseded, cessation of operation (RFC 3161, section 4).
const mild = [0, 3, 4, 5];

/** The revocations of the certificates from the signer's up to a trusted one. */
export async function revocationsOf(signed: pki.SignedData, signer: pki.Certificate, certificates: pki.Certificate[], roots: pki.Certificate[]): Promise<Revocation[]> {
  const { lists, answers } = dataOf(signed);
  const found: Revocation[] = [];
  const path = [signer];
  for (let c = signer; !roots.some((r) => same(r, c)); ) {
    const issuer = await issuerOf(c, [...roots, ...certificates]);
    if (!issuer || path.includes(issuer)) break;
    for (const l of lists) found.push(...await listed(l, c, issuer));
    for (const a of answers) found.push(...await answered(a, c, issuer));
    path.push((c = issuer));
  }
  return found;
}

async function issuerOf(c: pki.Certificate, all: pki.Certificate[]): Promise<pki.Certificate | undefined> {
  for (const i of all) if (i.subject.isEqual(c.issuer) && (await c.verify(i).catch(() => false))) return i;
  return undefined;
}

const same = (a: pki.Certificate, b: pki.Certificate): boolean => a.serialNumber.isEqual(b.serialNumber) && a.issuer.isEqual(b.issuer) && a.subject.isEqual(b.subject);

/** What cannot be read says nothing. */
function dataOf(signed: pki.SignedData): { lists: pki.CertificateRevocationList[]; answers: pki.BasicOCSPResponse[] } {
  const lists = (signed.crls ?? []).filter((l) => l instanceof pki.CertificateRevocationList), answers: pki.BasicOCSPResponse[] = [];
  for (const a of signed.signerInfos[0]!.unsignedAttrs?.attributes ?? []) {
    if (a.type !== revocationValues) continue;
    for (const part of childrenOf(a.values[0])) {
      for (const v of childrenOf(childrenOf(part)[0])) {
        try {
          if (part.idBlock.tagNumber === 0) lists.push(pki.CertificateRevocationList.fromBER(bytesOf(v)));
          if (part.idBlock.tagNumber === 1) answers.push(pki.BasicOCSPResponse.fromBER(bytesOf(v)));
        } catch {
          continue;
        }
      }
    }
  }
  return { lists, answers };
}

const bytesOf = (v: BaseBlock): ArrayBuffer => v.valueBeforeDecodeView.slice().buffer;

function childrenOf(v: unknown): BaseBlock[] {
  const inside = (v as { valueBlock?: { value?: unknown } } | undefined)?.valueBlock?.value;
  return Array.isArray(inside) ? inside : [];
}

async function listed(l: pki.CertificateRevocationList, c: pki.Certificate, issuer: pki.Certificate): Promise<Revocation[]> {
  if (!l.issuer.isEqual(c.issuer) || !(await l.verify({ issuerCertificate: issuer }).catch(() => false))) return [];
  return (l.revokedCertificates ?? []).filter((r) => r.userCertificate.isEqual(c.serialNumber)).map((r) => {
    const x = r.crlEntryExtensions?.extensions.find((e) => e.extnID === reasonCode);
    return revocation(r.revocationDate.value, x && enumerated(fromBER(x.extnValue.valueBlock.valueHexView.slice().buffer).result), x !== undefined);
  });
}

async function answered(a: pki.BasicOCSPResponse, c: pki.Certificate, issuer: pki.Certificate): Promise<Revocation[]> {
  const responder = a.certs?.[0] ?? issuer;
  if (responder !== issuer && !(await responder.verify(issuer).catch(() => false))) return [];
  const tbs = a.tbsResponseData.tbsView.slice().buffer;
  const good = await pki.getCrypto(true).verifyWithPublicKey(tbs, a.signature, responder.subjectPublicKeyInfo, a.signatureAlgorithm).catch(() => false);
  if (!good) return [];
  return a.tbsResponseData.responses.filter((r) => r.certID.serialNumber.isEqual(c.serialNumber) && (r.certStatus as BaseBlock).idBlock.tagNumber === 1).flatMap((r) => {
    const [time, reason] = childrenOf(r.certStatus);
    if (!(time instanceof GeneralizedTime)) return [];
    const code = enumerated(childrenOf(reason)[0]);
    return [revocation(time.toDate(), code, code !== undefined && code !== 0)];
  });
}

const enumerated = (v: unknown): number | undefined => (v instanceof Enumerated ? v.valueBlock.valueDec : undefined);

const revocation = (at: Date, reason: number | undefined, given: boolean): Revocation => ({ at: Math.floor(at.getTime() / 1000), ended: !given || reason === undefined || !mild.includes(reason) });
