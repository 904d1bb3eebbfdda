import { type Health, healthOf } from "../health/health.ts";
import type { MeshSnapshot, ServiceSnapshot } from "../snapshot.ts";
import { read } from "./api.ts";
import { CanaryList } from "./cards/canary-list.ts";
import { Charts } from "./charts.ts";
import { el, setAttributes, setText } from "./dom.ts";
import { EndpointTable } from "./endpoint-table.ts";
import { ErrorList } from "./error-list.ts";
import { duration, number, percent, span } from "./format.ts";
import type { View } from "./view.ts";

const figures = ["Success", "Actual", "Calls/s", "p50", "p95", "p99", "Breaker", "Retry budget", "In flight", "Discovery"] as const;
type Figure = (typeof figures)[number];

/** One service: its figures, charts, endpoints and errors. */
export class ServiceView implements View {
  readonly element: HTMLElement;
  readonly title: string;
  readonly #service: string;
  readonly #charts = new Charts();
  readonly #table: EndpointTable;
  readonly #errors = new ErrorList();
  readonly #canaries = new CanaryList();
  readonly #values = new Map<Figure, HTMLElement>(figures.map((name) => [name, el("dd", {}, "–")]));
  readonly #note = el("p", { class: "note", role: "status" });
  readonly #dashboard = el("a", { rel: "noreferrer", hidden: true }, "Dashboard");
  #reading: AbortController | undefined = undefined;
  #pid = 0;

  constructor(service: string) {
    this.#service = service;
    this.title = service;
    this.#table = new EndpointTable(service, () => void this.#read());
    this.element = el(
      "div",
      {},
      el("nav", { "aria-label": "Where this is" }, el("a", { href: "#/" }, "← All services")),
      el(
        "section",
        { class: "card", "aria-labelledby": "service" },
        el("div", { class: "bar" }, el("h1", { id: "service" }, service), this.#dashboard),
        this.#note,
        el("dl", { class: "figures" }, ...figures.map((name) => el("div", {}, el("dt", {}, name), this.#values.get(name)))),
      ),
      this.#canaries.element,
      el(
        "section",
        { class: "card", "aria-labelledby": "last-minutes" },
        el("h2", { id: "last-minutes" }, "The last two minutes"),
        this.#charts.element,
      ),
      this.#table.element,
      this.#errors.element,
    );
  }

  show(snapshot: MeshSnapshot): void {
    // The charts show a process that has ended.
    if (this.#pid !== 0 && this.#pid !== snapshot.process.pid) this.#charts.clear();
    this.#pid = snapshot.process.pid;
    void this.#read();
  }

  recolour(): void {
    this.#charts.recolour();
  }

  close(): void {
    this.#reading?.abort();
    this.#charts.close();
  }

  async #read(): Promise<void> {
    this.#reading?.abort();
    const reading = new AbortController();
    this.#reading = reading;
    const query = new URLSearchParams({ ...this.#table.query, since: String(this.#charts.newestS) });
    try {
      const service = await read<ServiceSnapshot>(`api/services/${encodeURIComponent(this.#service)}?${query}`, reading.signal);
      if (this.#reading !== reading) return;
      if (service === undefined) setText(this.#note, "This process has not called the service yet, or not for a long time.");
      else this.#show(service);
    } catch {
      // The feed reports the loss, and reads again when the process is back.
    }
  }

  #show(service: ServiceSnapshot): void {
    const { success, latencyMs, breaker, discovery, discoveryError, discoveryAgeMs, concurrency, panicking, dashboardUrl } = service;
    this.#set("Success", percent(success.effective), healthOf(success.effective));
    this.#set("Actual", percent(success.actual), healthOf(success.actual));
    this.#set("Calls/s", number(service.rps));
    for (const name of ["p50", "p95", "p99"] as const) this.#set(name, latencyMs === null ? "–" : duration(latencyMs[name]));
    this.#set("Breaker", breaker, breaker === "closed" ? undefined : breaker === "open" ? "failing" : "degraded");
    this.#set("Retry budget", number(Math.floor(service.retryBudget)));
    this.#set("In flight", concurrency === null ? String(service.inFlight) : `${service.inFlight} of ${Math.floor(concurrency.limit)}`);
    this.#set(
      "Discovery",
      discoveryAgeMs === null ? "never" : `${span(discoveryAgeMs)} ago`,
      discoveryError === null ? undefined : "degraded",
    );
    const notes = [
      `Endpoints from ${discovery}.`,
      discoveryError === null ? "" : `Discovery fails at the moment: ${discoveryError}.`,
      panicking ? "Panic: so few instances are available that attempts go to all of them." : "",
    ];
    setText(this.#note, notes.filter((note) => note !== "").join(" "));
    this.#dashboard.hidden = dashboardUrl === null;
    setAttributes(this.#dashboard, { href: dashboardUrl ?? undefined });
    this.#canaries.show(service.canaries, service.atMs);
    this.#charts.add(service.seconds, service.atMs);
    this.#table.show(service);
    this.#errors.show(service.errors);
  }

  #set(name: Figure, text: string, health?: Health): void {
    const element = this.#values.get(name) as HTMLElement;
    setText(element, text);
    setAttributes(element, { class: health });
  }
}
