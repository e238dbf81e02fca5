// NOT VERIFIED: the first step that failed, and why, as a message of the catalogue.

/** The steps of the verification, in their order. */
export type Step =
  | "container" | "parts" | "checkpoints" | "inclusion" | "entry" | "registration" | "authority" | "signature" | "after" | "files"
  // of a history
  | "auditors" | "map" | "entries" | "statements";

/** A reason and its values; those that name a part are catalogue words themselves. */
export interface Reason {
  readonly code: string;
  readonly values: Record<string, string>;
}

export class Failure extends Error {
  readonly reason: Reason;
  constructor(readonly step: Step, code: string, values: Record<string, string | bigint | number> = {}) {
    super(`${step}: ${code} ${JSON.stringify(values, (_, v: unknown) => (typeof v === "bigint" ? v.toString() : v))}`);
    this.reason = { code, values: Object.fromEntries(Object.entries(values).map(([k, v]) => [k, String(v)])) };
  }
}
