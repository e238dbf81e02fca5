// What statements are, what keys are for, what signatures mean.

export type Content = "never" | "may" | "must";

const content: Record<string, Content> = {
  registration: "never", enrolment: "never", revocation: "never", succession: "never", correction: "never",
  withdrawal: "never", erasure: "never", access: "never", note: "never",
  approval: "may", "database-lock": "may", unblinding: "may",
  protocol: "must", amendment: "must", "consent-form": "must", consent: "must", "analysis-plan": "must",
  "randomisation-list": "must", dataset: "must", custody: "must", analysis: "must", report: "must",
};

export const isKind = (s: string): boolean => Object.hasOwn(content, s);

/** Whether a statement of that kind has a dataset line. */
export const contentOf = (kind: string): Content => content[kind]!;

/** How many key lines it has. */
export const keysOf = (kind: string): number => (kind === "registration" ? 2 : ["enrolment", "revocation", "succession"].includes(kind) ? 1 : 0);

export const needsReason = (kind: string): boolean => ["revocation", "succession", "withdrawal", "correction", "erasure"].includes(kind);

export const isRole = (s: string): boolean => ["sponsor", "recovery", "site", "monitor", "board", "inspector", "laboratory", "dsmb"].includes(s);

/** Whether a key of that role may grant and end keys. */
export const mayGrant = (role: string): boolean => role === "sponsor" || role === "recovery";

export const isMeaning = (s: string): boolean => ["authorship", "review", "approval", "responsibility"].includes(s);
