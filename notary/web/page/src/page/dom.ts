// Elements, made from text only: what comes from outside is never read as markup.

import encodeQR from "qr";
import { visible } from "../format/text.ts";

export type Child = Node | string | undefined | false;
type Attributes = Record<string, string | boolean | ((e: Event) => void) | undefined>;

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") e.addEventListener(name.slice(2), value);
    else if (value === true) e.setAttribute(name, "");
    else if (value !== false && value !== undefined) e.setAttribute(name, value);
  }
  put(e, ...children);
  return e;
}

export function put(e: Element, ...children: Child[]): void {
  for (const c of children) if (c !== undefined && c !== false) e.append(c);
}

export const replace = (e: Element, ...children: Child[]): void => {
  e.replaceChildren();
  put(e, ...children);
};

/** Text from outside: control and bidirectional characters written out, its direction its own. */
export const outside = (s: string): HTMLElement => h("bdi", {}, visible(s));

export const code = (s: string): HTMLElement => h("code", {}, visible(s));

/** The sentence with elements in place of its {names}. */
export function compose(sentence: string, parts: Record<string, Node>): DocumentFragment {
  const f = document.createDocumentFragment();
  for (const piece of sentence.split(/(\{[a-zA-Z]+\})/)) {
    const part = /^\{(.*)\}$/.exec(piece);
    f.append(part ? (parts[part[1]!] ?? "") : piece);
  }
  return f;
}

const paths = {
  verified: "M7 12.5l3.4 3.4L17.2 9",
  "not-verified": "M8 8l8 8M16 8l-8 8",
  unconfirmed: "M12 7v6M12 16.6v.2",
};

const ns = "http://www.w3.org/2000/svg";

/** The seal beside a verdict; its meaning stands in words next to it. */
export function seal(kind: keyof typeof paths): SVGElement {
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "seal");
  svg.setAttribute("aria-hidden", "true");
  for (const r of ["11.2", "9.4"]) {
    const c = document.createElementNS(ns, "circle");
    for (const [k, v] of Object.entries({ cx: "12", cy: "12", r })) c.setAttribute(k, v);
    svg.append(c);
  }
  const p = document.createElementNS(ns, "path");
  p.setAttribute("d", paths[kind]);
  svg.append(p);
  return svg;
}

/** A QR code of a text, which stands beside it. */
export function qr(text: string): SVGElement {
  const rows = encodeQR(text, "raw", { ecc: "medium", encoding: "byte", border: 1 });
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", `1 1 ${rows.length - 2} ${rows.length - 2}`);
  svg.setAttribute("class", "qr");
  svg.setAttribute("shape-rendering", "crispEdges");
  svg.setAttribute("aria-hidden", "true");
  const p = document.createElementNS(ns, "path");
  p.setAttribute("d", rows.map((r, y) => r.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : "")).join("")).join(""));
  svg.append(p);
  return svg;
}
