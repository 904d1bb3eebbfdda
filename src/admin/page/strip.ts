import { identityTrouble } from "../health/identity.ts";
import { registryTrouble, stripOf } from "../health/strip.ts";
import type { MeshSnapshot } from "../snapshot.ts";
import { el, setText } from "./dom.ts";

/** The process in one line: `1 failing · 2 degraded · 47 OK · registry OK`, and below it why the registry fails or is in doubt. */
export class Strip {
  readonly element: HTMLElement;
  readonly #line = el("p", { class: "strip-line" });
  readonly #why = el("p", { class: "note" });
  #shown = "";

  constructor() {
    this.element = el("section", { class: "strip", "aria-label": "State" }, this.#line, this.#why);
  }

  show(snapshot: MeshSnapshot): void {
    const parts = stripOf(snapshot);
    const text = parts.map((part) => part.text).join(" · ");
    if (text !== this.#shown) {
      this.#line.replaceChildren(
        ...parts.flatMap((part, index) => [...(index === 0 ? [] : [" · "]), el("span", { class: part.health }, part.text)]),
      );
      this.#shown = text;
    }
    const trouble = registryTrouble(snapshot) ?? identityTrouble(snapshot) ?? "";
    setText(this.#why, `${trouble.slice(0, 1).toUpperCase()}${trouble.slice(1)}`);
  }
}
