import type { MeshSnapshot, ServiceRow } from "../snapshot.ts";
import { el, type Part, Parts, setAttributes, setText } from "./dom.ts";
import { endpointBar } from "./endpoint-bar.ts";
import { duration, number, percent, span } from "./format.ts";
import { TrafficGraph } from "./graph.ts";
import { type Health, healthOf, registryHealth, serviceHealth } from "./health.ts";
import { serviceLink } from "./route.ts";
import type { View } from "./view.ts";

interface Column {
  readonly title: string;
  readonly about: string;
  /** The sort key of a row; a column without it cannot be sorted. */
  readonly order?: (row: ServiceRow) => number | string;
  /** `wide`: hidden on narrow screens; `roomy`: hidden on very narrow ones. */
  readonly kind?: "number" | "roomy" | "wide" | "number wide";
}

const columns: readonly Column[] = [
  { title: "Service", about: "Name of the service", order: ({ service }) => service },
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

/** All services: the graph and the table. */
export class Overview implements View {
  readonly title = "Services";
  readonly element: HTMLElement;
  readonly #registry = el("p", { class: "registry idle", role: "status" });
  readonly #graph = new TrafficGraph();
  readonly #rows: Parts<ServiceRow>;
  readonly #heads: readonly HTMLElement[];
  readonly #find = el("input", { type: "search", id: "find-service", placeholder: "Filter", autocomplete: "off" });
  readonly #empty = el("p", { class: "note" });
  #sortedBy = 0;
  #isReversed = false;
  #snapshot: MeshSnapshot | undefined = undefined;

  constructor() {
    const body = el("tbody");
    this.#rows = new Parts<ServiceRow>(body, ({ service }) => service, serviceRow);
    this.#heads = columns.map((column, index) => this.#head(column, index));
    this.#find.addEventListener("input", () => this.#show());
    this.element = el(
      "div",
      {},
      this.#registry,
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
    );
  }

  show(snapshot: MeshSnapshot): void {
    this.#snapshot = snapshot;
    const { state, text } = snapshot.registry;
    setText(this.#registry, `${text[0]?.toUpperCase()}${text.slice(1)}`);
    setAttributes(this.#registry, { class: `registry ${registryHealth[state]}` });
    this.#graph.show(snapshot);
    this.#show();
  }

  close(): void {}

  #show(): void {
    const { services } = this.#snapshot ?? { services: [] };
    const find = this.#find.value.trim().toLowerCase();
    const found = services.filter(({ service }) => service.toLowerCase().includes(find));
    const order = columns[this.#sortedBy]?.order ?? (() => 0);
    const sorted = [...found].sort((one, other) => compare(order(one), order(other)) || compare(one.service, other.service));
    if (this.#isReversed) sorted.reverse();
    this.#rows.show(sorted);
    const none =
      services.length === 0 ? "This process has called no service yet." : found.length === 0 ? "No service has this text in its name." : "";
    setText(this.#empty, none);
    this.#heads.forEach((head, index) => {
      setAttributes(head, { "aria-sort": index === this.#sortedBy ? (this.#isReversed ? "descending" : "ascending") : undefined });
    });
  }

  #head({ title, about, kind }: Column, index: number): HTMLElement {
    const button = el("button", { type: "button", class: "sort", title: about }, title);
    button.addEventListener("click", () => {
      this.#isReversed = this.#sortedBy === index && !this.#isReversed;
      this.#sortedBy = index;
      this.#show();
    });
    return el("th", { scope: "col", class: kind }, button);
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
  const element = el("tr", {}, el("th", { scope: "row" }, el("a", { href: serviceLink(service) }, service), badge, few.element), ...cells);
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
