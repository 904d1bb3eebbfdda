import type { AttemptReading, RecentError } from "../snapshot.ts";
import { el, Parts } from "./dom.ts";
import { count, duration, timeOfDay } from "./format.ts";

/** The calls that failed most recently, each with its attempts. */
export class ErrorList {
  readonly element: HTMLElement;
  readonly #list = el("ul", { class: "errors" });
  readonly #parts = new Parts<RecentError>(this.#list, ({ id, atMs }) => `${id} ${atMs}`, errorItem);
  readonly #none = el("p", { class: "note" }, "No call has failed since the recording began.");

  constructor() {
    this.element = el(
      "section",
      { class: "card", "aria-labelledby": "errors" },
      el("h2", { id: "errors" }, "Recent errors"),
      this.#none,
      this.#list,
    );
  }

  show(errors: readonly RecentError[]): void {
    this.#none.hidden = errors.length > 0;
    this.#list.hidden = errors.length === 0;
    this.#parts.show(errors);
  }
}

function errorItem({ atMs, method, path, code, status, message, maybeExecuted, attempts }: RecentError) {
  const what = code ?? String(status);
  const element = el(
    "li",
    {},
    el(
      "details",
      {},
      el(
        "summary",
        {},
        el("time", { datetime: new Date(atMs).toISOString() }, timeOfDay(atMs)),
        el("b", {}, what),
        el("span", { class: "path" }, `${method} ${path}`),
        el("span", { class: "muted" }, count(attempts.length, "attempt")),
      ),
      el("p", { class: "message" }, message),
      el("p", { class: "muted" }, maybeExecuted ? "An instance may have executed it." : "Certainly no instance has executed it."),
      attempts.length === 0 ? undefined : attemptTable(attempts),
    ),
  );
  // An error does not change.
  return { element, update: () => {} };
}

function attemptTable(attempts: readonly AttemptReading[]): HTMLElement {
  const heads = ["", "Endpoint", "Phase", "Time", "Result"].map((title) => (title === "" ? el("td") : el("th", { scope: "col" }, title)));
  const rows = attempts.map(({ endpoint, phase, ms, code, status }, index) =>
    el(
      "tr",
      {},
      ...[`${index + 1}`, endpoint ?? "none", phase, duration(ms), code ?? `${status ?? "–"}`].map((text) => el("td", {}, text)),
    ),
  );
  return el(
    "div",
    { class: "scroll" },
    el("table", { class: "attempts" }, el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...rows)),
  );
}
