// A statement: what a participant says and signs, at most 8 KiB.

import { type Key, isName, isOrigin, parseParticipant } from "./key.ts";
import { isKind } from "./kind.ts";
import { type SignedText, parseNote } from "./note.ts";
import { checkStatement } from "./rules.ts";
import { FormatError, Lines, decodeLines, encode } from "./text.ts";
import { type Seconds, base64, hex, parseHash, parseId, parseNumber, parseTime, sha256 } from "./value.ts";

export interface KeyLine {
  readonly role: string;
  readonly stream: string; // its name
  readonly streamId: string;
  readonly key: Key;
}

export interface Also {
  readonly trial: string;
  readonly salt?: Uint8Array;
}

export interface Dataset {
  readonly root: Uint8Array;
  readonly files: bigint;
  readonly bytes: bigint;
}

export interface Statement extends SignedText {
  readonly id: string; // SHA-256 of the whole note
  readonly log: string;
  readonly trial: string;
  readonly stream: string;
  readonly streamSalt: Uint8Array;
  readonly streamId: string;
  readonly kind: string;
  readonly label?: string | undefined;
  readonly dataset?: Dataset | undefined;
  readonly meaning?: string | undefined;
  readonly signer?: string | undefined;
  readonly supersedes?: string | undefined;
  readonly about: string[];
  readonly reason?: string | undefined;
  readonly keys: KeyLine[];
  readonly person?: string | undefined;
  readonly until?: Seconds | undefined;
  readonly also: Also[];
  readonly rules: { first: string; then: string }[];
  readonly after?: { size: bigint; hash: Uint8Array } | undefined;
  readonly time: Seconds;
}

export const maxStatement = 8192;

/** Parses a statement's note; its signature is not verified. */
export function parseStatement(b: Uint8Array): Statement {
  if (b.length > maxStatement) throw new FormatError(`it has ${b.length} bytes, at most ${maxStatement} are allowed`);
  const note = parseNote(decodeLines(b));
  const r = new Lines(note.text);
  r.exact("trialnotary/statement@v1");
  const log = r.value("log");
  if (!isOrigin(log)) throw r.fault("does not hold an origin");
  const trial = r.value("trial");
  if (!isTrial(trial)) throw r.fault("does not hold a trial id");
  const [stream, salt] = r.fields("stream", 2) as [string, string];
  if (!isName(stream)) throw r.fault("does not hold a stream name");
  const streamSalt = r.parse(parseHash, salt);
  const kind = r.value("kind");
  if (!isKind(kind)) throw r.fault("does not hold a known kind");
  const s: Statement = {
    ...note, id: hex(sha256(b)), log, trial, stream, streamSalt, streamId: streamIdOf(log, trial, stream, streamSalt), kind,
    label: r.optional("label"),
    dataset: readDataset(r),
    meaning: r.optional("meaning"),
    signer: r.optional("signer"),
    supersedes: r.has("supersedes") ? r.parse(parseId, r.value("supersedes")) : undefined,
    about: repeated(r, "about", () => r.parse(parseId, r.value("about"))),
    reason: r.optional("reason"),
    keys: repeated(r, "key", () => readKey(r)),
    person: r.optional("person"),
    until: r.has("until") ? r.parse(parseTime, r.value("until")) : undefined,
    also: repeated(r, "also", () => readAlso(r)),
    rules: repeated(r, "rule", () => readRule(r)),
    after: readAfter(r),
    time: r.parse(parseTime, r.value("time")),
  };
  r.parse(parseHash, r.value("salt"));
  r.done();
  checkStatement(s);
  return s;
}

function repeated<T>(r: Lines, key: string, read: () => T): T[] {
  const all: T[] = [];
  while (r.has(key)) all.push(read());
  return all;
}

function readDataset(r: Lines): Dataset | undefined {
  if (!r.has("dataset")) return undefined;
  const [root, files, bytes] = r.fields("dataset", 3) as [string, string, string];
  return { root: r.parse(parseHash, root), files: r.parse(parseNumber, files), bytes: r.parse(parseNumber, bytes) };
}

function readKey(r: Lines): KeyLine {
  const [role, stream, id, key] = r.fields("key", 4) as [string, string, string, string];
  return { role, stream, streamId: r.parse(parseId, id), key: r.parse(parseParticipant, key) };
}

function readAlso(r: Lines): Also {
  const [trial, salt] = r.fields("also", 1, 2) as [string, string?];
  return salt === undefined ? { trial } : { trial, salt: r.parse(parseHash, salt) };
}

function readRule(r: Lines): { first: string; then: string } {
  const [first, before, then] = r.fields("rule", 3) as [string, string, string];
  if (before !== "before") throw r.fault('is not two kinds with "before" between them');
  return { first, then };
}

function readAfter(r: Lines): { size: bigint; hash: Uint8Array } | undefined {
  if (!r.has("after")) return undefined;
  const [size, hash] = r.fields("after", 2) as [string, string];
  return { size: r.parse(parseNumber, size), hash: r.parse(parseHash, hash) };
}

export const isTrial = (s: string): boolean => /^[A-Z0-9][A-Z0-9._/-]{0,63}$/.test(s);

/** Whether a public registry gave the trial id. */
export const isPublicTrial = (s: string): boolean => /^(NCT[0-9]{8}|ISRCTN[0-9]{8}|[0-9]{4}-[0-9]{6}-[0-9]{2}(-[0-9]{2})?)$/.test(s);

const noSalt = new Uint8Array(32);

export function streamIdOf(log: string, trial: string, stream: string, salt: Uint8Array): string {
  return hex(sha256(encode(`trialnotary/stream@v1\n${log}\n${trial}\n${stream}\n${base64(salt)}\n`)));
}

/** The registration streams of a registration, each with its trial id; its own first. */
export function registrationStreams(s: Statement): { trial: string; id: string }[] {
  if (s.kind !== "registration") return [];
  return [
    { trial: s.trial, id: s.streamId },
    ...s.also.map((a) => ({ trial: a.trial, id: streamIdOf(s.log, a.trial, "registration", a.salt ?? noSalt) })),
  ];
}
