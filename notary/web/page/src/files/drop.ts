// Files and whole folders as a browser hands them over, dropped or chosen.

import type { Given } from "./compare.ts";

const nfc = (s: string): string => s.normalize("NFC");

/** Files of an <input>; those of a folder carry their path in it. */
export function fromInput(files: FileList): Given[] {
  return [...files].map((file) => {
    const path = nfc(file.webkitRelativePath || file.name);
    return { path, file, loose: !file.webkitRelativePath };
  });
}

/** Everything dropped, folders walked. The entries must be taken before the first wait. */
export async function fromDrop(t: DataTransfer): Promise<Given[]> {
  const entries = [...t.items].map((i) => i.webkitGetAsEntry()).filter((e) => e !== null);
  if (entries.length === 0) return [...t.files].map((file) => ({ path: nfc(file.name), file, loose: true }));
  const all: Given[] = [];
  for (const e of entries) await walk(e, "", all);
  return all;
}

async function walk(e: FileSystemEntry, above: string, all: Given[]): Promise<void> {
  const path = above + e.name;
  if (e.isFile) {
    const file = await new Promise<File>((ok, no) => (e as FileSystemFileEntry).file(ok, no));
    all.push({ path: nfc(path), file, loose: above === "" });
    return;
  }
  const reader = (e as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A reader gives some entries at a time, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((ok, no) => reader.readEntries(ok, no));
    if (some.length === 0) return;
    for (const child of some) await walk(child, path + "/", all);
  }
}
