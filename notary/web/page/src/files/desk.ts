// What the visitor has put on the desk, sorted into evidence and data.

import { type Opening, parseOpening } from "../format/opening.ts";
import { type Manifest, parseManifest } from "../format/manifest.ts";
import { FormatError, undoTravel } from "../format/text.ts";
import { type Trust, parseTrust } from "../format/trust.ts";
import type { Given } from "./compare.ts";
import { CertificateError, attachedReceipt, isPDF, maxCertificate } from "./certificate.ts";
import { type Kind, headBytes, kindOf, maxOurs } from "./kind.ts";
import { ZipError, readZip } from "./zip.ts";

/** A file of ours, with what was undone that happened to it on the way. */
export interface Evidence {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly undone: ("bom" | "crlf" | "certificate")[];
}

export interface Desk {
  readonly receipts: Evidence[];
  readonly histories: Evidence[];
  readonly manifests: { name: string; manifest: Manifest }[];
  readonly openings: { name: string; opening: Opening }[];
  readonly trusts: { name: string; trust: Trust }[]; // came with the evidence
  readonly data: Given[];
  readonly own: Given[]; // the evidence as files, which may itself be among what was sealed
  /** Files that could not be used, each with a code of the catalogue. */
  readonly problems: { name: string; code: string; detail: string }[];
  readonly unlooked: number; // other members of zips
}

export const emptyDesk = (): Desk => ({ receipts: [], histories: [], manifests: [], openings: [], trusts: [], data: [], own: [], problems: [], unlooked: 0 });

/** The desk with these files added; the same evidence twice is there once. */
export async function addFiles(desk: Desk, files: Given[]): Promise<Desk> {
  const d = { ...desk, receipts: [...desk.receipts], histories: [...desk.histories], manifests: [...desk.manifests], openings: [...desk.openings], trusts: [...desk.trusts], data: [...desk.data], own: [...desk.own], problems: [...desk.problems] };
  for (const g of files) {
    const head = new Uint8Array(await g.file.slice(0, headBytes).arrayBuffer().catch(() => new ArrayBuffer(0)));
    const kind = kindOf(g.file.name, head);
    if (kind === "data" && isPDF(head) && g.file.size <= maxCertificate && (await placeCertificate(d, g))) continue;
    if (kind === "data") {
      if (!d.data.some((x) => x.path === g.path)) d.data.push(g);
      continue;
    }
    d.own.push(g);
    if (kind === "private" || kind === "unknown") {
      d.problems.push({ name: g.path, code: kind, detail: "" });
    } else if (g.file.size > maxOurs) {
      d.problems.push({ name: g.path, code: "tooLarge", detail: "" });
    } else {
      const bytes = new Uint8Array(await g.file.arrayBuffer());
      if (kind !== "zip") place(d, g.path, kind, bytes);
      else {
        try {
          const zip = readZip(bytes);
          for (const m of zip.members) place(d, `${g.path} › ${m.name}`, m.kind, m.bytes);
          // A zip without anything of ours may itself be what was sealed.
          if (zip.members.length === 0) d.data.push(g);
          else d.unlooked += zip.others;
        } catch (e) {
          if (!(e instanceof ZipError)) throw e;
          d.problems.push({ name: g.path, code: e.code, detail: "" });
        }
      }
    }
  }
  return d;
}

/** Takes the receipt out of a certificate; false for any other PDF. */
async function placeCertificate(d: Desk, g: Given): Promise<boolean> {
  try {
    const receipt = await attachedReceipt(new Uint8Array(await g.file.arrayBuffer()));
    if (!receipt) return false;
    const { bytes, undone } = undoTravel(receipt);
    addOnce(d.receipts, { name: g.path, bytes, undone: ["certificate", ...undone] });
  } catch (e) {
    if (!(e instanceof CertificateError)) throw e;
    d.problems.push({ name: g.path, code: "certificateForm", detail: e.message });
  }
  d.own.push(g);
  return true;
}

function place(d: Desk, name: string, kind: Kind, raw: Uint8Array): void {
  const { bytes, undone } = undoTravel(raw);
  try {
    if (kind === "receipt") addOnce(d.receipts, { name, bytes, undone });
    else if (kind === "history") addOnce(d.histories, { name, bytes, undone });
    else if (kind === "manifest") d.manifests.push({ name, manifest: parseManifest(bytes) });
    else if (kind === "opening") d.openings.push({ name, opening: parseOpening(bytes) });
    else if (kind === "trust") {
      const trust = parseTrust(bytes);
      if (!d.trusts.some((t) => t.trust.fingerprint === trust.fingerprint)) d.trusts.push({ name, trust });
    } else d.problems.push({ name, code: kind === "private" ? "private" : "unknown", detail: "" });
  } catch (e) {
    if (!(e instanceof FormatError)) throw e;
    d.problems.push({ name, code: `${kind}Form`, detail: e.message });
  }
}

function addOnce(all: Evidence[], e: Evidence): void {
  const same = all.some((x) => x.bytes.length === e.bytes.length && x.bytes.every((v, i) => v === e.bytes[i]));
  if (!same) all.push(e);
}
