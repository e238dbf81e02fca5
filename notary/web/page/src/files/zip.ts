// Shares and kits: zips that hold receipts, openings, manifests, histories and trust
// files. Other members are counted and not looked at, but for the list in a kit of all
// that is in it.

import { unzipSync } from "fflate";
import { hex, sha256 } from "../format/value.ts";
import { headBytes, kindOf, type Kind } from "./kind.ts";

export interface Member {
  readonly name: string;
  readonly kind: Kind;
  readonly bytes: Uint8Array;
}

const ours = /\.(receipt|opening|manifest|history|trust)$/i;
const maxMembers = 20_000, maxMember = 64 << 20, maxAll = 512 << 20;
// Text of digests does not pack to a fiftieth.
const maxRatio = 50;
const sumsName = "SHA256SUMS", kitVersion = "# trialnotary/kit@v1";

/** Why a zip is not read. */
export class ZipError extends Error {
  constructor(readonly code: "zipDamaged" | "zipTooLarge" | "zipOdd" | "kitDamaged") {
    super(code);
  }
}

/** The members of ours; what a member says of its size bounds what it may hold. */
export function readZip(zip: Uint8Array): { members: Member[]; others: number } {
  const kit = isKit(zip);
  const files = unpack(zip, (name) => kit || ours.test(name));
  if (kit) checkSums(files.read);
  const members = Object.entries(files.read).filter(([name]) => ours.test(name))
    .map(([name, bytes]) => ({ name, bytes, kind: kindOf(name, bytes.subarray(0, headBytes)) }));
  return { members, others: files.names - members.length };
}

/** The members that are wanted, and how many files there are. No zip of ours has a name twice, or one that leads elsewhere. */
function unpack(zip: Uint8Array, wanted: (name: string) => boolean): { read: Record<string, Uint8Array>; names: number } {
  let n = 0, size = 0;
  const seen = new Set<string>();
  try {
    const read = unzipSync(zip, {
      filter: (f) => {
        if (++n > maxMembers) throw new ZipError("zipTooLarge");
        if (f.name.endsWith("/")) return false;
        if (seen.has(f.name) || f.name.startsWith("/") || f.name.includes("\\") || f.name.split("/").includes("..")) throw new ZipError("zipOdd");
        seen.add(f.name);
        if (!wanted(f.name)) return false;
        if (f.originalSize > maxMember || f.originalSize > maxRatio * (f.size + 1024) || (size += f.originalSize) > maxAll) throw new ZipError("zipTooLarge");
        return true;
      },
    });
    return { read, names: seen.size };
  } catch (e) {
    throw e instanceof ZipError ? e : new ZipError("zipDamaged");
  }
}

/** A kit says so in the first line of its list. */
function isKit(zip: Uint8Array): boolean {
  const list = unpack(zip, (name) => name === sumsName).read[sumsName];
  return list !== undefined && new TextDecoder().decode(list.subarray(0, kitVersion.length + 1)) === `${kitVersion}\n`;
}

/** A part that was lost or changed on the way is noticed; what is evidence is verified for itself. */
function checkSums(files: Record<string, Uint8Array>): void {
  const lines = Object.entries(files).filter(([name]) => name !== sumsName).map(([name, bytes]) => ({ name, line: `${hex(sha256(bytes))}  ${name}\n` }));
  lines.sort((a, b) => (a.name < b.name ? -1 : 1));
  const want = `${kitVersion}\n${lines.map((l) => l.line).join("")}`;
  if (new TextDecoder().decode(files[sumsName]) !== want) throw new ZipError("kitDamaged");
}
