// Headless Chromium with the built page, opened as a file: no server, no network.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type BrowserContext, type BrowserContextOptions, type Page, chromium } from "playwright-core";

const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"];

export const pageFile = join(process.cwd(), "page.html");

/** A visitor: a browser of their own that remembers, and everything it asked for. */
export class Visitor {
  readonly requests: string[] = [];
  readonly errors: string[] = [];
  private constructor(readonly context: BrowserContext) {}

  static async arrive(o: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await chromium.launchPersistentContext(mkdtempSync(join(tmpdir(), "visitor-")), {
      executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium", args: flags, locale: "en-GB", timezoneId: "Europe/Berlin", offline: true, viewport: { width: 1100, height: 900 }, ...o,
    });
    context.setDefaultTimeout(120_000); // a slow machine is none of the page's faults
    const v = new Visitor(context);
    context.on("request", (r) => v.requests.push(r.url()));
    return v;
  }

  async open(url = pathToFileURL(pageFile).href): Promise<Page> {
    const p = await this.context.newPage();
    p.on("pageerror", (e) => this.errors.push(String(e)));
    p.on("console", (m) => {
      if (m.type() === "error" || m.type() === "warning") this.errors.push(m.text());
    });
    await p.goto(url);
    await p.waitForSelector("h1");
    return p;
  }

  /** Requests other than of the page itself and of what it made. */
  get foreign(): string[] {
    return this.requests.filter((u) => u !== pathToFileURL(pageFile).href && !u.startsWith("blob:"));
  }

  leave = (): Promise<void> => this.context.close();
}

/** Puts files on the desk and waits for what follows. */
export async function put(p: Page, ...files: string[]): Promise<void> {
  await p.setInputFiles("#files", files);
  await settled(p);
}

export async function putFolder(p: Page, folder: string): Promise<void> {
  await p.setInputFiles("#folder", folder);
  await settled(p);
}

async function settled(p: Page): Promise<void> {
  await p.waitForFunction(() => {
    const status = document.querySelector(".status")?.textContent, busy = document.querySelector<HTMLElement>(".busy");
    return status === "" && busy?.hidden === true && (document.querySelector(".sheet, .problem:not(:empty)") !== null || document.querySelector(".chips") !== null);
  }, undefined, { timeout: 600_000 });
}

export async function accept(p: Page, trust: string): Promise<void> {
  await p.setInputFiles("#trust-file", trust);
  await p.click(".card.waiting button:not(.quiet)");
  await p.waitForSelector(".card.accepted");
  await p.waitForFunction(() => document.querySelector(".status")?.textContent === "");
}

/** The verdict word of each sheet. */
export const words = (p: Page): Promise<string[]> => p.$$eval(".sheet .verdict h2", (all) => all.map((e) => e.textContent ?? ""));

/** The lines of a row of the first sheet, by its name. */
export const lines = (p: Page, name: string): Promise<string[]> =>
  p.$$eval(".sheet", (sheets, name) => [...(sheets[0]?.querySelectorAll(".row") ?? [])].filter((r) => r.querySelector("dt")?.textContent === name).flatMap((r) => [...r.querySelectorAll("dd")].map((d) => d.textContent ?? "")), name);
