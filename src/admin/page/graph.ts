import type { InstanceState } from "../../core/upstream.ts";
import { type Health, healthOf, serviceHealth, stateHealth } from "../health/health.ts";
import type { InstanceReading, MeshSnapshot, Secured, ServiceRow } from "../snapshot.ts";
import { breakerMark, lock } from "./badges.ts";
import { el, setAttributes, setText, svg } from "./dom.ts";
import { count, number, percent, short } from "./format.ts";
import { type GraphLayout, layOut, type PlacedService } from "./graph-layout.ts";
import { serviceLink } from "./route.ts";

const boxHeight = 36;

type Update = (services: ReadonlyMap<string, ServiceRow>, maxRps: number) => void;

/** This process, the services that it calls and, if they are few, their instances. Widths show traffic, colours show success. */
export class TrafficGraph {
  readonly element: HTMLElement;
  readonly #drawing: SVGSVGElement = svg("svg", { role: "group", "aria-label": "Traffic graph" });
  readonly #note: HTMLElement = el("p", { class: "note" });
  #shape = "";
  #updates: readonly Update[] = [];
  #snapshot: MeshSnapshot | undefined = undefined;
  #width = 0;
  #drawn: ReadonlySet<string> = new Set();

  constructor() {
    const frame = el("div", { class: "graph" }, this.#drawing);
    this.element = el("div", {}, frame, key(), this.#note);
    new ResizeObserver(([entry]) => {
      this.#width = Math.floor(entry?.contentRect.width ?? 0);
      if (this.#snapshot !== undefined) this.show(this.#snapshot);
    }).observe(frame);
  }

  /** Shows a snapshot. The drawing is updated in place, and drawn anew when services or instances come or go. */
  show(snapshot: MeshSnapshot): void {
    this.#snapshot = snapshot;
    if (this.#width === 0) return;
    const layout = layOut(snapshot, this.#width, this.#drawn);
    this.#drawn = new Set(layout.services.map(({ row }) => row.service));
    const shape = JSON.stringify([
      this.#width,
      snapshot.process.pid,
      layout.services.map(({ row, instances }) => [
        row.service,
        row.secured,
        instances.map(({ instance }) => [instance.id, instance.secure]),
      ]),
    ]);
    if (shape !== this.#shape) this.#draw(layout, snapshot.process.pid);
    this.#shape = shape;
    const services = new Map(snapshot.services.map((row) => [row.service, row]));
    const maxRps = Math.max(1, ...snapshot.services.map(({ attemptsPerS }) => attemptsPerS));
    for (const update of this.#updates) update(services, maxRps);
    setText(
      this.#note,
      layout.hidden === 0
        ? ""
        : `${count(layout.hidden, "further service")} not drawn: those in trouble go first, then the busiest. The table has all.`,
    );
  }

  #draw({ services, height, hasInstances }: GraphLayout, pid: number): void {
    const width = this.#width;
    setAttributes(this.#drawing, { viewBox: `0 0 ${width} ${height}`, width, height });
    const updates: Update[] = [];
    const [own, gap] = hasInstances ? [128, 0.16 * width] : [84, 0.2 * width];
    const serviceX = own + gap;
    const serviceWidth = hasInstances ? Math.min(240, 0.26 * width) : width - serviceX - 1;
    const instanceWidth = Math.min(240, 0.24 * width);
    const columns = { own, serviceX, serviceWidth, instanceX: width - instanceWidth - 1, instanceWidth };
    const middle = height / 2;
    const lines = svg("g", { class: "edges" });
    const labels = svg("g");
    const boxes = svg("g");
    const self = svg(
      "g",
      { class: "node self" },
      svg("rect", { x: 1, y: middle - 22, width: own - 1, height: 44, rx: 7 }),
      svg("text", { x: own / 2, y: middle - 3, "text-anchor": "middle" }, "this process"),
      svg("text", { x: own / 2, y: middle + 13, "text-anchor": "middle", class: "small" }, `pid ${pid}`),
    );
    const layers = { lines, labels: hasInstances ? labels : undefined, boxes };
    for (const placed of services) drawService(placed, columns, middle, layers, updates);
    // Labels are above all lines.
    this.#drawing.replaceChildren(lines, labels, self, boxes);
    this.#updates = updates;
  }
}

const meanings: readonly (readonly [health: Health, meaning: string])[] = [
  ["ok", "OK"],
  ["degraded", "from 0.1 % errors"],
  ["failing", "above 10 %"],
  ["idle", "no traffic"],
];

function key(): HTMLElement {
  const parts = meanings.map(([health, meaning]) => el("span", {}, el("i", { class: health }), meaning));
  return el("p", { class: "key" }, el("span", {}, "Width: attempts per second. Colour:"), ...parts);
}

interface Columns {
  readonly own: number;
  readonly serviceX: number;
  readonly serviceWidth: number;
  readonly instanceX: number;
  readonly instanceWidth: number;
}

interface Layers {
  readonly lines: Element;
  /** `undefined` where there is no room for labels. */
  readonly labels: Element | undefined;
  readonly boxes: Element;
}

function drawService(
  { row: { service, secured }, y, instances }: PlacedService,
  { own, serviceX, serviceWidth, instanceX, instanceWidth }: Columns,
  middle: number,
  { lines, labels, boxes }: Layers,
  updates: Update[],
): void {
  const line = edge(own, middle, serviceX, y, secured);
  const box = node(serviceX, y, serviceWidth, service);
  const link = svg("a", { href: serviceLink(service) }, box.element);
  lines.append(line.element);
  labels?.append(line.label);
  boxes.append(link);
  updates.push((services, maxRps) => {
    const row = services.get(service);
    if (row === undefined) return;
    const { endpoints, breaker, rps, attemptsPerS, success } = row;
    const known = Object.values(endpoints).reduce((sum, each) => sum + each, 0);
    line.update(attemptsPerS, maxRps, healthOf(success.effective), `${number(rps)}/s`);
    const text = `${percent(success.effective)} · ${endpoints.available} of ${known} available`;
    const isOpen = breaker !== "closed";
    box.update(
      serviceHealth(row),
      isOpen ? `breaker ${breaker}` : undefined,
      labels === undefined ? `${number(rps)}/s · ${percent(success.effective)}` : text,
    );
  });
  for (const { instance, y: at } of instances) {
    const way = edge(serviceX + serviceWidth, y, instanceX, at, instance.secure ? "all" : "none");
    const end = node(instanceX, at, instanceWidth, instance.address);
    lines.append(way.element);
    labels?.append(way.label);
    boxes.append(end.element);
    updates.push((services, maxRps) => {
      const now = services.get(service)?.instances?.find(({ id }) => id === instance.id);
      if (now === undefined) return;
      way.update(now.rps, maxRps, instanceHealth(now), `${number(now.rps)}/s`);
      const health = isAvoided(now) ? "degraded" : stateHealth[now.state];
      end.update(health === "ok" ? healthOf(now.success) : health, stateWords[now.state] || undefined, stateText(now));
    });
  }
}

function instanceHealth({ state, rps, success }: InstanceReading): Health {
  return state === "available" || rps >= 0.05 ? healthOf(success) : "idle";
}

const stateWords: Readonly<Record<InstanceState, string>> = {
  available: "",
  ejected: "ejected",
  probing: "waits for a probe",
  unhealthy: "unhealthy",
};

/** Whether it is in rotation, and the picker sends it nearly nothing all the same. */
function isAvoided({ state, avoided }: InstanceReading): boolean {
  return state === "available" && avoided !== null;
}

function stateText(instance: InstanceReading): string {
  return isAvoided(instance) ? "avoided" : stateWords[instance.state] || percent(instance.success);
}

const tlsTitles: Readonly<Record<Secured, string>> = { all: "over TLS", some: "some instances over TLS", none: "" };

function edge(x1: number, y1: number, x2: number, y2: number, secured: Secured) {
  const middle = (x1 + x2) / 2;
  const path = svg("path", { d: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`, fill: "none" });
  // On the side opposite to the line.
  const label = svg("text", { x: x2 - 8, y: y2 > y1 + 1 ? y2 + 16 : y2 - 8, "text-anchor": "end", class: "small over" });
  const element = svg("g", {}, path);
  if (secured !== "none") {
    const badge = lock(middle - 6, (y1 + y2) / 2 - 6, tlsTitles[secured]);
    if (secured === "some") badge.classList.add("partly");
    element.append(badge);
  }
  return {
    element,
    label,
    update(rps: number, maxRps: number, health: Health, text: string) {
      // The square root, so that one percent of the traffic is still visible.
      setAttributes(path, { class: health, "stroke-width": (1.2 + 5 * Math.sqrt(Math.min(1, rps / maxRps))).toFixed(1) });
      setText(label, text);
    },
  };
}

function node(x: number, y: number, width: number, name: string) {
  const top = y - boxHeight / 2;
  const rect = svg("rect", { x, y: top, width, height: boxHeight, rx: 6 });
  const stripe = svg("rect", { class: "stripe", x, y: top, width: 4, height: boxHeight, rx: 2 });
  const detail = svg("text", { x: x + 12, y: y + 12, class: "small" });
  const shown = short(name, Math.floor((width - 42) / 7));
  const mark = breakerMark(x + width - 22, y - 6);
  const element = svg(
    "g",
    {},
    shown === name ? undefined : svg("title", {}, name),
    rect,
    stripe,
    svg("text", { x: x + 12, y: y - 2 }, shown),
    detail,
  );
  return {
    element,
    /** `fault` is the title of a mark on the box; `undefined` for no mark. */
    update(health: Health, fault: string | undefined, text: string) {
      setAttributes(element, { class: `node ${health}` });
      setText(detail, short(text, Math.floor((width - 20) / 5.4)));
      setText(mark.title, fault ?? "");
      if (fault === undefined) mark.element.remove();
      else if (!mark.element.isConnected) element.append(mark.element);
    },
  };
}
