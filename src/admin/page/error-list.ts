import { isRefusal } from "../health/refusals.ts";
import type { AttemptReading, RecentError } from "../snapshot.ts";
import { el, Parts, setAttributes, setText } from "./dom.ts";
import { count, duration, timeOfDay } from "./format.ts";

/**
 * The calls that failed most recently, each with its attempts. Below them, in a line that can be opened, those that were refused without an
 * attempt: while a breaker is open there are many of them, and the cause is above.
 */
export class ErrorList {
  readonly element: HTMLElement;
  readonly #list = el("ul", { class: "errors" });
  readonly #parts = partsOf(this.#list);
  readonly #refused = el("ul", { class: "errors refused", id: "refused", hidden: true });
  readonly #refusedParts = partsOf(this.#refused);
  readonly #summary = el("button", { type: "button", class: "refusals", "aria-expanded": "false", "aria-controls": "refused" });
  readonly #none = el("p", { class: "note" }, "No call has failed since the recording began.");

  constructor() {
    this.#summary.addEventListener("click", () => {
      this.#refused.hidden = !this.#refused.hidden;
      setAttributes(this.#summary, { "aria-expanded": String(!this.#refused.hidden) });
    });
    this.element = el(
      "section",
      { class: "card", "aria-labelledby": "errors" },
      el("h2", { id: "errors" }, "Recent errors"),
      this.#none,
      this.#list,
      this.#summary,
      this.#refused,
    );
  }

  show(errors: readonly RecentError[]): void {
    const refused = errors.filter(isRefusal);
    const others = errors.filter((error) => !isRefusal(error));
    this.#none.hidden = errors.length > 0;
    this.#list.hidden = others.length === 0;
    this.#parts.show(others);
    this.#refusedParts.show(refused);
    const [last] = refused;
    this.#summary.hidden = last === undefined;
    if (last !== undefined) {
      const codes = [...new Set(refused.map(({ code }) => code ?? ""))].join(", ");
      setText(this.#summary, `${count(refused.length, "call")} refused without an attempt (${codes}), the last at ${timeOfDay(last.atMs)}`);
    }
  }
}

function partsOf(list: HTMLElement): Parts<RecentError> {
  return new Parts<RecentError>(list, ({ id, atMs }) => `${id} ${atMs}`, errorItem);
}

function errorItem({ atMs, method, path, rule, target, code, status, message, maybeExecuted, attempts }: RecentError) {
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
      rule === null ? undefined : el("p", { class: "muted" }, `By the route ${rule}${target === null ? "" : `, target ${target}`}.`),
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
