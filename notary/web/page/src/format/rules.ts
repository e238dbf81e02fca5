// What a statement's lines must hold together (section Statement of the formats).

import { isName } from "./key.ts";
import { contentOf, isKind, isMeaning, isRole, keysOf, needsReason } from "./kind.ts";
import { type Statement, isPublicTrial, isTrial } from "./statement.ts";
import { FormatError, encode } from "./text.ts";

const isZero = (b: Uint8Array): boolean => b.every((v) => v === 0);

/** Throws a FormatError for the first rule that s breaks. */
export function checkStatement(s: Statement): void {
  for (const [broken, what] of [...place(s), ...content(s), ...references(s), ...keys(s), ...registration(s), ...times(s)]) {
    if (broken) throw new FormatError(what);
  }
}

type Rule = [broken: boolean, what: string];

function place(s: Statement): Rule[] {
  const isRegistration = s.kind === "registration";
  const unsalted = isRegistration && isPublicTrial(s.trial);
  return [
    [isRegistration !== (s.stream === "registration"), "the stream registration holds registrations and nothing else does"],
    [keysOf(s.kind) === 1 && s.stream !== "trial", "keys are granted and ended in the stream trial"],
    [unsalted !== isZero(s.streamSalt), "the registration stream of a public id, and no other, has a salt of zero bytes"],
  ];
}

function content(s: Statement): Rule[] {
  const c = contentOf(s.kind);
  return [
    [tooLong(s.label, 200), "a label has at most 200 bytes"],
    [s.dataset !== undefined && c === "never", "a statement of this kind has no dataset"],
    [s.dataset === undefined && c === "must", "a statement of this kind has a dataset"],
    [s.dataset?.files === 0n, "a dataset has at least one file"],
    [(s.meaning === undefined) !== (s.signer === undefined), "meaning and signer stand together or not at all"],
    [s.meaning !== undefined && !isMeaning(s.meaning), "the meaning is not a known one"],
    [tooLong(s.signer, 100), "a signer's name has at most 100 bytes"],
  ];
}

function references(s: Statement): Rule[] {
  return [
    [s.about.length > 16, "at most 16 about lines are allowed"],
    [repeats(s.about), "an about line stands twice"],
    [s.kind === "succession" && s.about.length !== 1, "a succession is about one statement"],
    [tooLong(s.reason, 200), "a reason has at most 200 bytes"],
    [s.reason === undefined && (s.supersedes !== undefined || needsReason(s.kind)), "a reason is missing"],
  ];
}

function keys(s: Statement): Rule[] {
  return [
    [s.keys.length !== keysOf(s.kind), "the number of key lines is not that of the kind"],
    [s.keys.some((k) => !isRole(k.role)), "a key has an unknown role"],
    [s.keys.some((k) => !isName(k.stream)), "a key names no stream"],
    [s.kind !== "enrolment" && (s.person !== undefined || s.until !== undefined), "person and until stand in enrolments only"],
    [tooLong(s.person, 100), "a person's name has at most 100 bytes"],
  ];
}

function registration(s: Statement): Rule[] {
  if (s.kind !== "registration") return [[s.also.length > 0 || s.rules.length > 0, "also and rule stand in registrations only"]];
  const [sponsor, recovery] = s.keys;
  const ids = [s.trial, ...s.also.map((a) => a.trial)];
  return [
    [sponsor?.role !== "sponsor" || recovery?.role !== "recovery", "a registration has the sponsor's key, then the recovery key"],
    [sponsor?.stream !== "trial" || recovery?.stream !== "trial", "both keys of a registration name the stream trial"],
    [sponsor?.streamId !== recovery?.streamId, "both keys of a registration name one stream id"],
    [s.also.length > 8, "at most 8 other ids are allowed"],
    [s.also.some((a) => !isTrial(a.trial)), "another id is no trial id"],
    [repeats(ids), "an id of the trial stands twice"],
    [s.also.some((a) => isPublicTrial(a.trial) !== (a.salt === undefined)), "another id has a salt if and only if it is private"],
    [s.also.some((a) => a.salt !== undefined && isZero(a.salt)), "another id has a salt of zero bytes"],
    [s.rules.length > 32, "at most 32 rules are allowed"],
    [repeats(s.rules.map((r) => `${r.first} ${r.then}`)), "a rule stands twice"],
    [s.rules.some((r) => !isKind(r.first) || !isKind(r.then)), "a rule is about an unknown kind"],
  ];
}

// The first second of the year 1, which no clock shows; before it, the year 0.
const firstSecond = -62135596800;

function times(s: Statement): Rule[] {
  return [[s.time <= firstSecond || (s.until !== undefined && s.until <= firstSecond), "a time is before the year 1"]];
}

const tooLong = (s: string | undefined, bytes: number): boolean => s !== undefined && encode(s).length > bytes;
const repeats = (all: string[]): boolean => new Set(all).size < all.length;
