// The profile xpt5/v1: a SAS transport file of version 5 with every time stamp, of the
// file and of each member, replaced by blanks.

import { type Canonical, type Digest, fromLatin, latin } from "./canonical.ts";

const length = 80, stampLength = 16;
const zeros = `${"0".repeat(30)}  `;
const header = (name: string): string => `HEADER RECORD*******${name.padEnd(8)}HEADER RECORD!!!!!!!`;
const memberHeader = header("MEMBER");
const blanks = new Uint8Array(stampLength).fill(0x20);
const stampForm = /^(\d\d(JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)\d\d:\d\d:\d\d:\d\d| {16})$/;
const memberBytes = latin(memberHeader);

const enum Record {
  Library,
  Created,
  Modified,
  Member,
  Describes,
  MemberNamed,
  MemberLabel,
  Namestrs,
  Variables,
  Obs,
  Observations,
}

export class Xpt5 implements Digest {
  private next: Record = Record.Library;
  private bad = false;
  private readonly buf = new Uint8Array(length);
  private filled = 0;
  private size = 0; // of the description of a variable
  private left = 0; // descriptions to come
  private namestr: number[] = [];
  private row = 0; // bytes of an observation
  private at = 0; // of one that is not whole yet
  private run = 0; // blanks in a row up to here, at most two records counted

  constructor(private readonly out: Canonical) {}

  write(b: Uint8Array): void {
    for (let i = 0; i < b.length && !this.bad; ) {
      if (this.filled === 0 && b.length - i >= length) {
        this.record(b.subarray(i, (i += length)));
        continue;
      }
      const n = Math.min(length - this.filled, b.length - i);
      this.buf.set(b.subarray(i, (i += n)), this.filled);
      if ((this.filled += n) === length) {
        this.filled = 0;
        this.record(this.buf);
      }
    }
  }

  sum(): string | undefined {
    return this.bad || this.filled !== 0 || this.next !== Record.Observations || !this.whole() ? undefined : this.out.sum();
  }

  /** Whether a member can end here: behind whole observations and less than a record of blanks. */
  private whole(): boolean {
    return this.at === 0 || (this.at < length && this.run >= this.at);
  }

  private record(r: Uint8Array): void {
    if (this.next === Record.Observations) {
      if (r[0] !== 0x48 || !memberBytes.every((c, i) => r[i] === c) || !this.whole()) {
        this.observe(r);
        this.out.write(r);
        return;
      }
      this.next = Record.Member;
    }
    const s = fromLatin(r);
    let stamp = -1, ok = true;
    switch (this.next) {
      case Record.Library:
        ok = s === header("LIBRARY") + zeros;
        break;
      case Record.Created:
        ok = s.startsWith("SAS     SAS     SASLIB  ");
        stamp = length - stampLength;
        break;
      case Record.MemberNamed:
        ok = s.startsWith("SAS     ") && s.slice(16, 24) === "SASDATA ";
        stamp = length - stampLength;
        break;
      case Record.Modified:
      case Record.MemberLabel:
        stamp = 0;
        break;
      case Record.Member:
        this.size = s === `${memberHeader}000000000000000001600000000140  ` ? 140 : 136;
        ok = s === `${memberHeader}000000000000000001600000000${this.size}  `;
        break;
      case Record.Describes:
        ok = s === header("DSCRPTR") + zeros;
        break;
      case Record.Namestrs: {
        const m = /^(\d{4})0{20}  $/.exec(s.startsWith(`${header("NAMESTR")}000000`) ? s.slice(54) : "");
        this.left = Number(m?.[1] ?? 0);
        ok = this.left > 0;
        this.row = 0;
        this.namestr = [];
        break;
      }
      case Record.Variables:
        ok = this.describe(r);
        break;
      case Record.Obs:
        ok = s === header("OBS") + zeros;
        this.at = this.run = 0;
    }
    if (!ok || (stamp >= 0 && !stampForm.test(s.slice(stamp, stamp + stampLength)))) {
      this.bad = true;
      return;
    }
    if (stamp < 0) this.out.write(r);
    else {
      this.out.write(r.subarray(0, stamp));
      this.out.write(blanks);
      this.out.write(r.subarray(stamp + stampLength));
    }
    // Descriptions take as many records as they need.
    if (this.next !== Record.Variables || this.left === 0) this.next++;
  }

  /** Takes a record of descriptions: type, length and position are read. */
  private describe(r: Uint8Array): boolean {
    for (const c of r) {
      if (this.left === 0) break;
      this.namestr.push(c);
      if (this.namestr.length < this.size) continue;
      const v = new DataView(Uint8Array.from(this.namestr).buffer);
      const kind = v.getUint16(0), bytes = v.getUint16(4);
      if ((kind !== 1 && kind !== 2) || bytes === 0 || (kind === 1 && (bytes < 2 || bytes > 8)) || v.getUint32(84) !== this.row) return false;
      this.row += bytes;
      this.namestr = [];
      this.left--;
    }
    return true;
  }

  private observe(r: Uint8Array): void {
    let n = 0;
    while (n < length && r[length - 1 - n] === 0x20) n++;
    this.run = n === length ? Math.min(this.run + n, 2 * length) : n;
    this.at = (this.at + length) % this.row;
  }
}
