import { type Health, healthOf, serviceHealth, worstFirst } from "../health/health.ts";
import type { MeshSnapshot, ServiceRow } from "../snapshot.ts";
import { CanaryList } from "./cards/canary-list.ts";
import { ConfigurationCard } from "./cards/configuration-card.ts";
import { RouteCard } from "./cards/route-card.ts";
import { breakable, el, type Part, Parts, setAttributes, setText } from "./dom.ts";
import { endpointBar } from "./endpoint-bar.ts";
import { duration, number, percent, span } from "./format.ts";
import { TrafficGraph } from "./graph.ts";
import { serviceLink } from "./route.ts";
import { Strip } from "./strip.ts";
import type { View } from "./view.ts";

interface SortKey {
  readonly title: string;
  readonly about: string;
  /** The sort key of a row. */
  readonly order: (row: ServiceRow) => number | string;
}

interface Column extends SortKey {
  /** A second thing in the column by which rows can be sorted. */
  readonly beside?: SortKey;
  /** `wide`: hidden on narrow screens; `roomy`: hidden on very narrow ones. */
  readonly kind?: "number" | "roomy" | "wide" | "number wide";
}

/** The order at first. */
const worst: SortKey = {
  title: "State",
  about: "Failing and degraded services first",
  order: (row) => worstFirst.indexOf(serviceHealth(row)),
};

const columns: readonly Column[] = [
  { title: "Service", about: "Name of the service", order: ({ service }) => service, beside: worst },
  {
    title: "Success",
    about: "Calls that succeeded in the last minute, retries and hedges included",
    order: ({ success }) => success.effective ?? 2,
    kind: "number",
  },
  {
    title: "Actual",
    about: "Attempts that succeeded in the last minute",
    order: ({ success }) => success.actual ?? 2,
    kind: "number wide",
  },
  { title: "Calls/s", about: "Calls that ended, per second, over ten seconds", order: ({ rps }) => -rps, kind: "number" },
  {
    title: "p50",
    about: "Half of the calls of the last minute had their response head within this time",
    order: ({ latencyMs }) => -(latencyMs?.p50 ?? 0),
    kind: "number wide",
  },
  { title: "p95", about: "95 % of them", order: ({ latencyMs }) => -(latencyMs?.p95 ?? 0), kind: "number" },
  { title: "p99", about: "99 % of them", order: ({ latencyMs }) => -(latencyMs?.p99 ?? 0), kind: "number wide" },
  { title: "Endpoints", about: "Available endpoints of all in use", order: ({ endpoints }) => endpoints.available, kind: "roomy" },
  {
    title: "Breaker",
    about: "The breaker of the service",
    order: ({ breaker }) => (breaker === "open" ? 0 : breaker === "half-open" ? 1 : 2),
    kind: "wide",
  },
  {
    title: "Retry budget",
    about: "Retries and hedges that may be made at once",
    order: ({ retryBudget }) => retryBudget,
    kind: "number wide",
  },
  { title: "In flight", about: "Calls that have not ended", order: ({ inFlight }) => -inFlight, kind: "number wide" },
  {
    title: "Discovery",
    about: "Time since discovery confirmed the endpoints",
    order: ({ discoveryAgeMs }) => -(discoveryAgeMs ?? 1e12),
    kind: "number wide",
  },
];

const healthWords: Readonly<Record<Health, string>> = { ok: "OK", degraded: "Degraded", failing: "Failing", idle: "Idle" };

/** The whole process: the graph and the table of its services, canaries, routes and the configuration. */
export class Overview implements View {
  readonly title = "Services";
  readonly element: HTMLElement;
  readonly #graph = new TrafficGraph();
  readonly #rows: Parts<ServiceRow>;
  readonly #heads: readonly HTMLElement[];
  readonly #find = el("input", { type: "search", id: "find-service", placeholder: "Filter", autocomplete: "off" });
  readonly #empty = el("p", { class: "note" });
  readonly #strip = new Strip();
  readonly #canaries = new CanaryList();
  readonly #routes = new RouteCard();
  readonly #configuration = new ConfigurationCard();
  readonly #sorts = new Map<SortKey, HTMLElement>();
  #sortedBy: SortKey = worst;
  #isReversed = false;
  #snapshot: MeshSnapshot | undefined = undefined;

  constructor() {
    const body = el("tbody");
    this.#rows = new Parts<ServiceRow>(body, ({ service }) => service, serviceRow);
    this.#heads = columns.map((column) => this.#head(column));
    this.#find.addEventListener("input", () => this.#show());
    this.element = el(
      "div",
      {},
      this.#strip.element,
      el("section", { "aria-labelledby": "traffic", class: "card" }, el("h1", { id: "traffic" }, "Traffic"), this.#graph.element),
      el(
        "section",
        { "aria-labelledby": "services", class: "card" },
        el(
          "div",
          { class: "bar" },
          el("h2", { id: "services" }, "Services"),
          el("label", { for: "find-service", class: "hidden" }, "Filter services by name"),
          this.#find,
        ),
        el(
          "div",
          { class: "scroll", tabindex: 0, role: "group", "aria-labelledby": "services" },
          el("table", {}, el("thead", {}, el("tr", {}, ...this.#heads)), body),
        ),
        this.#empty,
      ),
      this.#canaries.element,
      this.#routes.element,
      this.#configuration.element,
    );
  }

  show(snapshot: MeshSnapshot): void {
    this.#snapshot = snapshot;
    this.#strip.show(snapshot);
    this.#graph.show(snapshot);
    this.#canaries.show(snapshot.canaries, snapshot.atMs);
    this.#routes.show(snapshot);
    this.#configuration.show(snapshot);
    this.#show();
  }

  close(): void {}

  #show(): void {
    const { services } = this.#snapshot ?? { services: [] };
    const find = this.#find.value.trim().toLowerCase();
    const found = services.filter(({ service }) => service.toLowerCase().includes(find));
    const { order } = this.#sortedBy;
    const turn = this.#isReversed ? -1 : 1;
    // Equal ones by name, whichever way: so they keep their places.
    const sorted = [...found].sort((one, other) => turn * compare(order(one), order(other)) || compare(one.service, other.service));
    this.#rows.show(sorted);
    const none =
      services.length === 0 ? "This process has called no service yet." : found.length === 0 ? "No service has this text in its name." : "";
    setText(this.#empty, none);
    const way = this.#isReversed ? "descending" : "ascending";
    for (const [key, button] of this.#sorts) setAttributes(button, { class: key === this.#sortedBy ? `sort ${way}` : "sort" });
    this.#heads.forEach((head, index) => {
      const isSorted = columns[index] === this.#sortedBy || columns[index]?.beside === this.#sortedBy;
      setAttributes(head, { "aria-sort": isSorted ? way : undefined });
    });
  }

  #head(column: Column): HTMLElement {
    const buttons = [column, column.beside].flatMap((key) => (key === undefined ? [] : [this.#sortButton(key)]));
    return el("th", { scope: "col", class: column.kind }, ...buttons);
  }

  #sortButton(key: SortKey): HTMLElement {
    const button = el("button", { type: "button", class: "sort", title: key.about }, key.title);
    button.addEventListener("click", () => {
      this.#isReversed = this.#sortedBy === key && !this.#isReversed;
      this.#sortedBy = key;
      this.#show();
    });
    this.#sorts.set(key, button);
    return button;
  }
}

function serviceRow({ service }: ServiceRow): Part<ServiceRow> {
  const cells = columns.slice(1).map(({ kind = "" }) => el("td", { class: kind }));
  const [success, actual, rps, p50, p95, p99, endpoints, breaker, budget, inFlight, age] = cells as (HTMLElement | undefined)[];
  const badge = el("span", { class: "badge" });
  const bar = endpointBar();
  endpoints?.append(bar.element);
  const few = endpointBar();
  few.element.classList.add("cramped");
  const element = el(
    "tr",
    {},
    el("th", { scope: "row" }, el("a", { href: serviceLink(service) }, ...breakable(service)), badge, few.element),
    ...cells,
  );
  const set = (cell: HTMLElement | undefined, text: string) => cell && setText(cell, text);
  return {
    element,
    update(row) {
      const health = serviceHealth(row);
      const { latencyMs, concurrency } = row;
      setAttributes(badge, { class: `badge ${health}` });
      setText(badge, row.panicking ? `${healthWords[health]}, panic` : healthWords[health]);
      setAttributes(success as HTMLElement, { class: `number ${healthOf(row.success.effective)}` });
      set(success, percent(row.success.effective));
      set(actual, percent(row.success.actual));
      set(rps, number(row.rps));
      set(p50, latencyMs === null ? "–" : duration(latencyMs.p50));
      set(p95, latencyMs === null ? "–" : duration(latencyMs.p95));
      set(p99, latencyMs === null ? "–" : duration(latencyMs.p99));
      bar.update(row);
      few.update(row);
      set(breaker, row.breaker);
      setAttributes(breaker as HTMLElement, {
        class: `wide ${row.breaker === "closed" ? "" : row.breaker === "open" ? "failing" : "degraded"}`,
      });
      set(budget, number(Math.floor(row.retryBudget)));
      set(inFlight, concurrency === null ? String(row.inFlight) : `${row.inFlight} (limit ${Math.floor(concurrency.limit)})`);
      set(age, row.discoveryAgeMs === null ? "never" : span(row.discoveryAgeMs));
    },
  };
}

function compare(one: number | string, other: number | string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
