// The private list of a dataset's files, and the leaves of its tree.

import { extract, expand } from "@noble/hashes/hkdf.js";
import { checkPath } from "./path.ts";
import { FormatError, Lines, decodeLines, encode } from "./text.ts";
import { base64, compareBytes, parseDigest, parseHash, parseNumber, sha256 } from "./value.ts";
import { leafHash, treeHead } from "./tree.ts";

export interface File {
  readonly path: string;
  readonly size: bigint;
  readonly sha256: string; // hex
  readonly sha512: string;
  readonly content?: { profile: string; sha256: string } | undefined;
}

export interface Manifest {
  readonly secret: Uint8Array;
  readonly files: File[];
  readonly bytes: bigint; // the sum of all sizes
}

export const manifestVersion = "trialnotary/manifest@v1";

export const isProfile = (s: string): boolean => /^[a-z0-9][a-z0-9._/-]{0,63}$/.test(s);

// The shortest line of a file, so that a lying count allocates nothing.
const minLine = 64 + 1 + 128 + 1 + 1 + 1 + 1 + 1;

export function parseManifest(b: Uint8Array): Manifest {
  const r = new Lines(decodeLines(b));
  r.exact(manifestVersion);
  const secret = r.parse(parseHash, r.value("secret"));
  const count = r.parse(parseNumber, r.value("files"));
  if (count === 0n || count > BigInt(Math.floor(b.length / minLine))) throw r.fault("announces a number of files that cannot follow");
  const files: { -readonly [K in keyof File]: File[K] }[] = [];
  let bytes = 0n;
  for (let i = 0; i < Number(count); i++) {
    const f = readFile(r);
    if (i > 0 && compareBytes(files[i - 1]!.path, f.path) >= 0) throw r.fault("has a path that is not after the one before");
    if ((bytes += f.size) >= 1n << 64n) throw r.fault("brings the sum of all sizes above 64 bits");
    files.push(f);
  }
  let next = 0;
  while (r.has("content")) {
    const [, profile, digest, path] = /^([^ ]+) ([^ ]+) (.+)$/.exec(r.value("content")) ?? [];
    if (profile === undefined || !isProfile(profile)) throw r.fault("is no content line");
    let at = next;
    while (at < files.length && files[at]!.path !== path) at++;
    if (at === files.length) throw r.fault("is about no file of this manifest, or one that had its turn");
    files[at]!.content = { profile, sha256: r.parse((s) => parseDigest(32, s), digest!) };
    next = at + 1;
  }
  r.done();
  return { secret, files, bytes };
}

function readFile(r: Lines): File {
  const m = /^([^ ]*) ([^ ]*) ([^ ]*) (.+)$/.exec(r.next());
  if (!m) throw r.fault("is not a file: SHA-256, SHA-512, size and path");
  return {
    sha256: r.parse((s) => parseDigest(32, s), m[1]!),
    sha512: r.parse((s) => parseDigest(64, s), m[2]!),
    size: r.parse(parseNumber, m[3]!),
    path: r.parse(checkPath, m[4]!),
  };
}

const leafVersion = "trialnotary/file@v1";

/** The text of a leaf. */
export function leafText(f: File, salt: Uint8Array): string {
  const content = f.content ? `content ${f.content.profile} ${f.content.sha256}\n` : "";
  return `${leafVersion}\npath ${f.path}\nsize ${f.size}\nsha256 ${f.sha256}\nsha512 ${f.sha512}\n${content}salt ${base64(salt)}\n`;
}

/** The dataset root of a manifest. */
export function rootOf(m: Manifest): Uint8Array {
  const prk = extract(sha256, m.secret);
  return treeHead(m.files.map((f) => leafHash(encode(leafText(f, expand(sha256, prk, encode(`${leafVersion} ${f.path}`), 32))))));
}

export function parseLeaf(text: string): File {
  const r = new Lines(text);
  r.exact(leafVersion);
  const path = r.parse(checkPath, r.value("path"));
  const size = r.parse(parseNumber, r.value("size"));
  const digest256 = r.parse((s) => parseDigest(32, s), r.value("sha256"));
  const digest512 = r.parse((s) => parseDigest(64, s), r.value("sha512"));
  let content: File["content"];
  if (r.has("content")) {
    const [profile, digest] = r.fields("content", 2) as [string, string];
    if (!isProfile(profile)) throw r.fault("names no content profile");
    content = { profile, sha256: r.parse((s) => parseDigest(32, s), digest) };
  }
  const salt = r.parse(parseHash, r.value("salt"));
  r.done();
  const f = { path, size, sha256: digest256, sha512: digest512, content };
  if (leafText(f, salt) !== text) throw new FormatError("the leaf is not written canonically");
  return f;
}
