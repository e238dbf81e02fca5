// Digests of what a file says, whatever its bytes: two exports of the same data differ
// in the time of export alone, and their content digests are equal. The profiles are
// specified in notary/content; each is a file here.

import { Canonical, type Digest, type Hash } from "./canonical.ts";
import { CsvDigest } from "./csv.ts";
import { DatasetJson } from "./dataset_json.ts";
import { Xpt5 } from "./xpt5.ts";

export const profiles = ["xpt5/v1", "dataset-json/v1", "csv/v1"] as const;
export type Profile = (typeof profiles)[number];

export const isKnown = (s: string): s is Profile => (profiles as readonly string[]).includes(s);

/** A digest of that profile, from two hashes that nothing else uses. */
export function newDigest(profile: Profile, a: Hash, b: Hash): Digest {
  switch (profile) {
    case "xpt5/v1":
      return new Xpt5(new Canonical(a));
    case "dataset-json/v1":
      return new DatasetJson(new Canonical(a), new Canonical(b));
    case "csv/v1":
      return new CsvDigest(new Canonical(a));
  }
}
