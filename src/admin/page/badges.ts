import { svg } from "./dom.ts";

/** A padlock, 12 × 12 pixels. */
export function lock(x: number, y: number, title: string): SVGGElement {
  return svg(
    "g",
    { class: "lock", transform: `translate(${x} ${y})` },
    svg("title", {}, title),
    svg("rect", { class: "under", x: -2, y: -2, width: 16, height: 16, rx: 4 }),
    svg("path", { d: "M3.5 5.5V4a2.5 2.5 0 0 1 5 0v1.5", class: "bow" }),
    svg("rect", { x: 2, y: 5.5, width: 8, height: 5.5, rx: 1.2, class: "case" }),
  );
}

/** A broken line, 12 × 12 pixels: a breaker that is not closed, or an instance out of rotation. */
export function breakerMark(x: number, y: number): { readonly element: SVGGElement; readonly title: SVGTitleElement } {
  const title = svg("title");
  const element = svg(
    "g",
    { class: "breaker", transform: `translate(${x} ${y})` },
    title,
    svg("rect", { class: "under", x: -2, y: -2, width: 16, height: 16, rx: 4 }),
    svg("path", { d: "M0 9h4l4-5.5M8 9h4" }),
  );
  return { element, title };
}
