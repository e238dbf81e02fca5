// Openings: some files of a dataset, shown with their proofs; the others stay hidden.

import { Parts, parseArchive } from "./archive.ts";
import { type File, parseLeaf } from "./manifest.ts";
import { FormatError, Lines, encode } from "./text.ts";
import { isIncluded, leafHash } from "./tree.ts";
import { compareBytes, equal, parseHash, parseNumber } from "./value.ts";

export interface Opening {
  readonly files: File[];
  readonly root: Uint8Array;
  readonly of: bigint; // files in the whole dataset
  readonly proofs: { leaf: Uint8Array; index: bigint; nodes: Uint8Array[] }[];
}

export const openingVersion = "trialnotary/opening@v1";
const maxOpening = 64 << 20;

export function parseOpening(b: Uint8Array): Opening {
  const archive = parseArchive(b, openingVersion, maxOpening);
  const parts = new Parts(archive);
  const files: File[] = [];
  const proofs: Opening["proofs"] = [];
  let root: Uint8Array | undefined, of = 0n;
  for (let n = 1; n === 1 || parts.next(`file-${n}`); n++) {
    const leaf = parts.take(`file-${n}`);
    const f = parseLeaf(leaf);
    const p = readProof(parts.take(`proof-${n}`));
    const rules: [boolean, string][] = [
      [p.index >= p.files, "has an index that is not below the number of files"],
      [root !== undefined && (!equal(p.root, root) || p.files !== of), "is about another dataset than the first"],
      [n > 1 && (p.index <= proofs.at(-1)!.index || compareBytes(f.path, files.at(-1)!.path) <= 0), "is not after the one before"],
    ];
    for (const [broken, what] of rules) if (broken) throw new FormatError(`part "proof-${n}" ${what}`);
    root = p.root;
    of = p.files;
    files.push(f);
    proofs.push({ leaf: leafHash(encode(leaf)), index: p.index, nodes: p.nodes });
  }
  parts.done();
  return { files, proofs, root: root!, of };
}

function readProof(text: string): { root: Uint8Array; files: bigint; index: bigint; nodes: Uint8Array[] } {
  const r = new Lines(text);
  const root = r.parse(parseHash, r.value("root"));
  const files = r.parse(parseNumber, r.value("files"));
  const index = r.parse(parseNumber, r.value("index"));
  const nodes: Uint8Array[] = [];
  while (r.has("node")) {
    nodes.push(r.parse(parseHash, r.value("node")));
    if (nodes.length > 64) throw r.fault("is a 65th node; no tree is that high");
  }
  r.done();
  return { root, files, index, nodes };
}

/** Whether every file opened is in the dataset with that root and number of files. */
export function isOpeningOf(o: Opening, root: Uint8Array, files: bigint): boolean {
  return equal(o.root, root) && o.of === files && o.proofs.every((p) => isIncluded(p.leaf, p.index, files, p.nodes, root));
}
