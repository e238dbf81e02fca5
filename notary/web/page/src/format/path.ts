// Paths of files in a manifest.

import { FormatError, encode, hasOuterBlank, isPlain } from "./text.ts";

export const maxPath = 4096;

/** Throws a FormatError unless p is a path of a manifest. */
export function checkPath(p: string): string {
  const rules: [boolean, string][] = [
    [p === "" || encode(p).length > maxPath, "has a path that is empty or too long"],
    [!isPlain(p), "has a path with a control or bidirectional character"],
    [p.includes("\\"), "has a path with a backslash"],
    [hasOuterBlank(p), "has a path that begins or ends with a blank"],
    [p.normalize("NFC") !== p, "has a path that is not in Unicode normalisation form C"],
    [p.split("/").some((s) => s === "" || s === "." || s === ".."), "has a path with an empty, . or .. segment, or one that is not relative"],
  ];
  for (const [broken, what] of rules) if (broken) throw new FormatError(what);
  return p;
}
