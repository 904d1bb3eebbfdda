import type { MeshSnapshot } from "../../snapshot.ts";
import { el, setText } from "../dom.ts";
import { span, timeOfDay } from "../format.ts";

/** The configuration in force: where it came from and since when, and a newer one that was refused, with the reason. */
export class ConfigurationCard {
  readonly element: HTMLElement;
  readonly #source = el("dd");
  readonly #since = el("dd");
  readonly #restart = el("dd");
  readonly #restartFact = el("div", {}, el("dt", {}, "Waits for a restart"), this.#restart);
  readonly #refused = el("p", { class: "refused-configuration", hidden: true });

  constructor() {
    this.element = el(
      "section",
      { class: "card", "aria-labelledby": "configuration", hidden: true },
      el("h2", { id: "configuration" }, "Configuration"),
      this.#refused,
      el(
        "dl",
        { class: "facts" },
        el("div", {}, el("dt", {}, "From"), this.#source),
        el("div", {}, el("dt", {}, "In force for"), this.#since),
        this.#restartFact,
      ),
    );
  }

  /** A process of an earlier version says nothing of it. */
  show({ configuration, atMs }: Pick<MeshSnapshot, "atMs"> & Partial<Pick<MeshSnapshot, "configuration">>): void {
    this.element.hidden = configuration == null;
    if (configuration == null) return;
    const { source, sinceMs, restart, refusal } = configuration;
    setText(this.#source, source);
    setText(this.#since, `${span(atMs - sinceMs)}, since ${timeOfDay(sinceMs)}`);
    this.#restartFact.hidden = restart.length === 0;
    setText(this.#restart, restart.join(", "));
    this.#refused.hidden = refusal === null;
    const refused = refusal && `A newer one from ${refusal.source} was refused at ${timeOfDay(refusal.atMs)}: ${refusal.error}`;
    setText(this.#refused, refused ?? "");
  }
}
