import type { InstanceState } from "../../core/upstream.ts";
import { figuresText, whyText } from "../health/figures.ts";
import { healthOf, stateHealth } from "../health/health.ts";
import type { EndpointRow, ServiceSnapshot } from "../snapshot.ts";
import { breakable, el, type Part, Parts, setAttributes, setText } from "./dom.ts";
import { openEjectDialog, readmit } from "./eject-dialog.ts";
import { count, duration, number, percent, span, whole } from "./format.ts";

const pageSize = 50;
const states: readonly InstanceState[] = ["available", "probing", "ejected", "unhealthy"];
const heads: readonly (readonly [title: string, kind: string, about: string])[] = [
  ["State", "", "In rotation, or out of it and how"],
  ["Endpoint", "", "Id, address, and why it is or is not chosen"],
  ["Zone", "wide", "Its failure domain"],
  ["Meant", "number wide", "Share of the requests that it is meant to have at present"],
  ["Got", "number roomy", "Share of the attempts of the last minute that it got"],
  ["Attempts/s", "number roomy", "Attempts per second, over about ten seconds"],
  ["Success", "number", "Share of the attempts that succeeded, over about a minute"],
  ["Latency", "number wide", "Moving average of the time to the response head"],
  ["In flight", "number wide", "Attempts whose response has not ended"],
  ["Attempts", "number wide", "Attempts since the instance was first seen, and those that failed, 5xx included"],
];

/** The endpoints of a service, fifty at a time; those out of rotation come first. */
export class EndpointTable {
  readonly element: HTMLElement;
  readonly #service: string;
  readonly #onQuery: () => void;
  readonly #rows: Parts<EndpointRow>;
  readonly #state = el(
    "select",
    { id: "endpoint-state" },
    el("option", { value: "" }, "all states"),
    ...states.map((state) => el("option", { value: state }, state)),
  );
  readonly #find = el("input", { type: "search", id: "find-endpoint", placeholder: "Filter", autocomplete: "off" });
  readonly #earlier = el("button", { type: "button" }, "Previous");
  readonly #later = el("button", { type: "button" }, "Next");
  readonly #where = el("span", { role: "status" });
  readonly #pager: HTMLElement;
  #offset = 0;
  #canChange = false;

  /** `onQuery` is called when {@link query} has changed. */
  constructor(service: string, onQuery: () => void) {
    this.#service = service;
    this.#onQuery = onQuery;
    const body = el("tbody");
    this.#rows = new Parts<EndpointRow>(
      body,
      ({ id }) => id,
      (row) => this.#row(row),
    );
    this.#state.addEventListener("change", () => this.#go(0));
    this.#find.addEventListener("input", () => this.#go(0));
    this.#earlier.addEventListener("click", () => this.#go(Math.max(0, this.#offset - pageSize)));
    this.#later.addEventListener("click", () => this.#go(this.#offset + pageSize));
    this.#pager = el("div", { class: "pager" }, this.#earlier, this.#where, this.#later);
    this.element = el(
      "section",
      { class: "card", "aria-labelledby": "endpoints" },
      el(
        "div",
        { class: "bar" },
        el("h2", { id: "endpoints" }, "Endpoints"),
        el("label", { for: "endpoint-state", class: "hidden" }, "Endpoints in which state"),
        this.#state,
        el("label", { for: "find-endpoint", class: "hidden" }, "Filter endpoints by id, address, zone or reason"),
        this.#find,
      ),
      el(
        "div",
        { class: "scroll", tabindex: 0, role: "group", "aria-labelledby": "endpoints" },
        el(
          "table",
          { class: "endpoints-table" },
          el(
            "thead",
            {},
            el("tr", {}, ...heads.map(([title, kind, about]) => el("th", { scope: "col", class: kind, title: about }, title))),
          ),
          body,
        ),
      ),
      this.#pager,
    );
  }

  /** The query parameters for the server. */
  get query(): Readonly<Record<string, string>> {
    const state = this.#state.value;
    const find = this.#find.value.trim();
    return { offset: String(this.#offset), limit: String(pageSize), ...(state !== "" && { state }), ...(find !== "" && { find }) };
  }

  show({ endpointRows, endpointsFound, canChange }: ServiceSnapshot): void {
    this.#canChange = canChange;
    // The endpoints of the last page have gone.
    if (this.#offset > 0 && this.#offset >= endpointsFound) this.#go(Math.max(0, Math.ceil(endpointsFound / pageSize) - 1) * pageSize);
    this.#rows.show(endpointRows);
    this.#earlier.disabled = this.#offset === 0;
    this.#later.disabled = this.#offset + pageSize >= endpointsFound;
    const last = Math.min(this.#offset + pageSize, endpointsFound);
    const where = endpointsFound === 0 ? "No endpoint" : `${this.#offset + 1}–${last} of ${count(endpointsFound, "endpoint")}`;
    setText(this.#where, where);
    this.#earlier.hidden = this.#later.hidden = endpointsFound <= pageSize;
  }

  #go(offset: number): void {
    this.#offset = offset;
    this.#onQuery();
  }

  #row({ id, address }: EndpointRow): Part<EndpointRow> {
    const badge = el("span", { class: "badge" });
    const avoidance = el("span", { class: "badge degraded" }, "avoided");
    const reason = el("div", { class: "reason" });
    const figures = el("div", { class: "reason" });
    const cells = heads.slice(2).map(([, kind]) => el("td", { class: kind }));
    const [zone, meant, got, rps, success, latency, inFlight, attempts] = cells as (HTMLElement | undefined)[];
    const button = el("button", { type: "button", class: "small" });
    let isOut = false;
    button.addEventListener("click", () => {
      if (!isOut) openEjectDialog(this.#service, id);
      else void readmit(this.#service, id).then(() => this.#onQuery());
    });
    const name = el("th", { scope: "row" }, el("div", { class: "name" }, ...breakable(id)));
    if (address !== id) name.append(el("div", { class: "address" }, address));
    const connection = el("div", { class: "reason" });
    name.append(connection, reason, figures);
    const element = el("tr", {}, el("td", {}, badge, avoidance), name, ...cells);
    const set = (cell: HTMLElement | undefined, text: string) => cell && setText(cell, text);
    return {
      element,
      update: (row) => {
        setAttributes(badge, { class: `badge ${stateHealth[row.state]}` });
        setText(badge, row.state);
        avoidance.hidden = row.avoided === null;
        set(reason, reasonOf(row));
        // Without TLS there is nothing to tell of a connection that the missing padlock does not say.
        setText(connection, row.secure ? (row.connection ?? "TLS") : "");
        set(figures, figuresText(row.picker));
        set(zone, row.zone ?? "–");
        set(meant, percent(row.shareMeant));
        set(got, percent(row.shareGot));
        set(rps, number(row.rps));
        set(success, percent(row.success));
        setAttributes(success as HTMLElement, { class: `number ${healthOf(row.success)}` });
        set(latency, row.latencyMs === 0 ? "–" : duration(row.latencyMs));
        set(inFlight, String(row.inFlight));
        const failed = row.failures === 0 ? "" : `, ${whole(row.failures)} failed (${percent(row.failureRatio)})`;
        set(attempts, `${whole(row.attempts)}${failed}`);
        isOut = row.state !== "available";
        setText(button, isOut ? "Put back" : "Take out…");
        setAttributes(button, { "aria-label": `${isOut ? "Put back" : "Take out"} ${id}` });
        if (this.#canChange && !button.isConnected) avoidance.after(button);
        else if (!this.#canChange) button.remove();
      },
    };
  }
}

function reasonOf(row: EndpointRow): string {
  const { healthCheck } = row;
  const check =
    healthCheck === null || healthCheck.passed
      ? undefined
      : `health check failed ${span(Date.now() - healthCheck.atMs)} ago: ${healthCheck.error ?? ""}`;
  return [whyText(row), check].filter((text) => text !== undefined).join("; ");
}
