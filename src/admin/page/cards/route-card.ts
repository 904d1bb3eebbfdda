import type { RouteRow, RouteTargetRow } from "../../routes/route-tallies.ts";
import type { MeshSnapshot } from "../../snapshot.ts";
import { breakable, el, type Part, Parts, setAttributes, setText } from "../dom.ts";
import { count, share, whole } from "../format.ts";

/** Rules that are drawn at most: a file of nginx may stand for thousands. The filter finds the others. */
const maxShown = 50;

/** The rules of the routes in the order in which they are asked, since the first that matches decides: their calls, and the split as it is now. */
export class RouteCard {
  readonly element: HTMLElement;
  readonly #parts: Parts<RouteRow>;
  readonly #find = el("input", { type: "search", id: "find-route", placeholder: "Filter", autocomplete: "off" });
  readonly #note = el("p", { class: "note" });
  #routes: readonly RouteRow[] = [];

  constructor() {
    const body = el("tbody");
    this.#parts = new Parts(body, keyOf, routeRow);
    this.#find.addEventListener("input", () => this.#show());
    const heads = columns.map(({ title, about, kind }) => el("th", { scope: "col", class: kind, title: about }, title));
    this.element = el(
      "section",
      { class: "card", "aria-labelledby": "routes", hidden: true },
      el(
        "div",
        { class: "bar" },
        el("h2", { id: "routes" }, "Routes"),
        el("label", { for: "find-route", class: "hidden" }, "Filter routes by name or service"),
        this.#find,
      ),
      el(
        "div",
        { class: "scroll", tabindex: 0, role: "group", "aria-labelledby": "routes" },
        el("table", { class: "routes-table" }, el("thead", {}, el("tr", {}, ...heads)), body),
      ),
      this.#note,
    );
  }

  /** A process of an earlier version says nothing of routes. */
  show({ routes = [] }: Partial<Pick<MeshSnapshot, "routes">>): void {
    this.#routes = routes;
    this.element.hidden = routes.length === 0;
    this.#show();
  }

  #show(): void {
    const find = this.#find.value.trim().toLowerCase();
    const isFound = ({ name, targets }: RouteRow): boolean =>
      [name, ...targets.map(({ service }) => service ?? "")].some((text) => text.toLowerCase().includes(find));
    const found = this.#routes.filter(isFound);
    this.#parts.show(found.slice(0, maxShown));
    const more = found.length - maxShown;
    const none = found.length === 0 ? "No rule has this text in its name or its services." : "";
    setText(this.#note, more > 0 ? `${count(more, "further rule")} not shown: filter for them.` : none);
  }
}

const columns = [
  { title: "Rule", about: "The first rule that matches a call decides on it", kind: undefined },
  { title: "To", about: "Targets, with the share that each is meant to have now and its calls of the last minute", kind: undefined },
  { title: "Calls/min", about: "Calls of the last minute", kind: "number" },
  { title: "Failed", about: "Calls that failed since the recording began", kind: "number" },
  { title: "Copies", about: "Copies that were sent, and those that were left out, since the recording began", kind: "number wide" },
  { title: "Faults", about: "Faults made on purpose since the recording began", kind: "number wide" },
] as const;

/** A rule whose targets are others is drawn anew. */
function keyOf({ name, parts, targets }: RouteRow): string {
  return JSON.stringify([name, parts, targets.map((target) => [target.name, target.service, target.subset])]);
}

function routeRow({ name, parts, targets }: RouteRow): Part<RouteRow> {
  const lines = targets.map((target) => ({ part: el("b"), calls: el("span", { class: "muted" }), text: placeOf(target, parts) }));
  const isSplit = targets.length > 1;
  const places = lines.map(({ part, calls, text }) =>
    isSplit ? el("li", {}, part, " ", ...breakable(text), " ", calls) : el("li", {}, ...breakable(text)),
  );
  const [calls, failed] = [el("td", { class: "number" }), el("td", { class: "number" })];
  const [copies, faults] = [el("td", { class: "number wide" }), el("td", { class: "number wide" })];
  const to = el("td", { class: "to" }, el("ul", {}, ...places));
  return {
    element: el("tr", {}, el("th", { scope: "row" }, ...breakable(name)), to, calls, failed, copies, faults),
    update(row) {
      row.targets.forEach((target, index) => {
        const line = lines[index];
        if (line === undefined) return;
        setText(line.part, share(target.share));
        setText(line.calls, `${whole(target.callsPerMinute)}/min`);
      });
      setText(calls, whole(row.callsPerMinute));
      setText(failed, whole(row.failures));
      setAttributes(failed, { class: row.failures > 0 ? "number degraded" : "number" });
      setText(copies, row.copiesLeftOut === 0 ? whole(row.copies) : `${whole(row.copies)}, ${whole(row.copiesLeftOut)} left out`);
      setText(faults, whole(row.faults));
    },
  };
}

/** The place that a rule sends a call to, in words. */
function placeOf({ name, service, subset }: RouteTargetRow, parts: readonly string[]): string {
  if (parts.includes("redirect")) return "a redirect";
  if (parts.includes("respond")) return "an answer of its own";
  const place = service ?? "the called service";
  const part = subset === null ? place : `${place} (${subset})`;
  return name === null || name === part || name === service ? part : `${name}: ${part}`;
}
