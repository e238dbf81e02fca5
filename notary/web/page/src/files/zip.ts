// Shares and kits: zips that hold receipts, openings, manifests, histories and trust
// files. Other members are counted and not looked at.

import { unzipSync } from "fflate";
import { headBytes, kindOf, type Kind } from "./kind.ts";

export interface Member {
  readonly name: string;
  readonly kind: Kind;
  readonly bytes: Uint8Array;
}

const ours = /\.(receipt|opening|manifest|history|trust)$/i;
const maxMembers = 20_000, maxMember = 64 << 20, maxAll = 512 << 20;

/** Why a zip is not read. */
export class ZipError extends Error {
  constructor(readonly code: "zipDamaged" | "zipTooLarge") {
    super(code);
  }
}

/** The members of ours; what a member says of its size bounds what it may hold. */
export function readZip(zip: Uint8Array): { members: Member[]; others: number } {
  let n = 0, size = 0, others = 0;
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(zip, {
      filter: (f) => {
        if (f.name.endsWith("/")) return false;
        if (!ours.test(f.name)) {
          others++;
          return false;
        }
        if (++n > maxMembers || f.originalSize > maxMember || (size += f.originalSize) > maxAll) throw new ZipError("zipTooLarge");
        return true;
      },
    });
  } catch (e) {
    throw e instanceof ZipError ? e : new ZipError("zipDamaged");
  }
  const members = Object.entries(files).map(([name, bytes]) => ({ name, bytes, kind: kindOf(name, bytes.subarray(0, headBytes)) }));
  return { members, others };
}
