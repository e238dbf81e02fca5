// A random trial in a world: what honest and dishonest people would do with keys.

import { base64, formatTime } from "../src/format/value.ts";
import { type Sealed, World } from "./world.ts";

export interface Trial {
  readonly world: World;
  readonly sponsor: ReturnType<World["signer"]>;
  readonly streams: string[];
  readonly grants: Sealed[]; // statements of the trial stream that name a key
}

const persons = ["Jane Doe", "Bo Chen", undefined, undefined];
const roles = ["site", "site", "site", "sponsor", "recovery", "monitor", "dsmb"];

export function randomTrial(seed: string): Trial {
  const w = new World(seed);
  const sponsor = w.signer("acme"), recovery = w.signer("acme.recovery");
  const keys = [sponsor, recovery, ...["k1", "k2"].map((n) => w.signer(n))];
  const streams = ["registration", "trial", "site-001", "site-002"];
  const keyLine = (role: string, stream: string, k: (typeof keys)[number], id = w.streamId(stream)) => `key ${role} ${stream} ${id} ${k.text}`;
  w.seal([{ stream: "registration", note: w.note("registration", "registration", [keyLine("sponsor", "trial", sponsor), keyLine("recovery", "trial", recovery)], sponsor) }]);

  const id = (): string => w.pick(w.sealed).id;
  const signer = () => (w.below(4) === 0 ? w.pick(keys) : sponsor);
  const grant = (): string => {
    const stream = w.below(6) === 0 ? "trial" : w.pick(["site-001", "site-002"]), role = w.pick(roles), k = w.pick(keys);
    const kind = w.pick(["enrolment", "enrolment", "enrolment", "revocation", "succession", "succession"]);
    const wrongId = w.below(12) === 0 ? w.streamId(w.pick(streams)) : undefined;
    const by = signer(), person = w.pick(persons);
    const lines = [
      ...(kind === "succession" ? [`about ${id()}`] : []), ...(kind === "enrolment" ? [] : ["reason because"]), keyLine(role, stream, k, wrongId),
      ...(kind === "enrolment" && person !== undefined ? [`person ${person}`] : []), ...(kind === "enrolment" && w.below(3) === 0 ? [`until ${formatTime(w.now + w.below(4) * 3600)}`] : []),
    ];
    return w.note("trial", kind, lines, by, w.below(8) === 0 ? w.pick(keys) : by);
  };
  const data = (stream: string): string => {
    const by = w.below(3) === 0 ? w.pick(keys) : w.pick(keys.slice(2)), signedBy = w.pick(persons);
    const lines = [
      `dataset ${base64(w.bytes())} ${1 + w.below(3)} ${w.below(1000)}`, ...(signedBy !== undefined ? ["meaning authorship", `signer ${signedBy}`] : []),
      ...(w.below(8) === 0 ? [`after ${w.below(80)} ${base64(w.bytes())}`] : []),
    ];
    return w.note(w.below(20) === 0 ? w.pick(["site-001", "site-002"]) : stream, "dataset", lines, by, w.below(8) === 0 ? w.pick(keys) : by, w.below(20) === 0 ? "NCT07654322" : undefined);
  };
  for (let batch = 3 + w.below(6); batch > 0; batch--) {
    const notes: { stream: string; note: string }[] = [];
    for (let n = 1 + w.below(4); n > 0; n--) notes.push({ stream: "trial", note: grant() });
    for (let n = w.below(4); n > 0; n--) {
      const stream = w.pick(["site-001", "site-002", "site-001", "trial"]);
      notes.push({ stream, note: data(stream) });
    }
    w.seal(notes.sort(() => w.below(3) - 1));
  }
  for (const stream of ["site-001", "site-002"]) w.seal([{ stream, note: data(stream) }]);
  return { world: w, sponsor, streams, grants: w.sealed.filter((s) => /\nkey /.test(s.note) && s.stream === "trial") };
}
