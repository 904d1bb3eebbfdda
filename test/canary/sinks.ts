import { subscribe } from "node:diagnostics_channel";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { type Admin, admin } from "../../src/admin/admin.ts";
import type { Observer } from "../../src/extend.ts";
import type { Mesh } from "../../src/index.ts";
import { prometheus } from "../../src/telemetry/prometheus.ts";
import { channelNames } from "../telemetry/channel-names.ts";
import { MetricsSdk, TracesSdk } from "../telemetry/support.ts";
import { secrets } from "./secrets.ts";

/** An output in which data of a call could appear. */
export interface Sink {
  readonly name: string;
  /** A text that it shows in every run: the test of an empty sink would prove nothing. */
  readonly marker: string;
  /** Joins each mesh. */
  readonly observer?: Observer;
  /** Starts it for a mesh. */
  begin?(mesh: Mesh): Promise<void>;
  /** Shows a value on purpose, where none of the other leaks comes out there. */
  leak?(value: string): void;
  /** All that it shows now. Asked before a mesh is closed, and after. */
  read(mesh: Mesh): string | Promise<string>;
}

/** Everything that an object has in it, as deep as it goes. */
export const whole = (value: unknown): string =>
  inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxArrayLength: null, maxStringLength: null, breakLength: 200 });

/** An error in every form in which it is printed or logged. */
function shown(error: unknown): readonly string[] {
  const { stack = "" } = error instanceof Error ? error : new Error("not an Error");
  return [String(error), stack, JSON.stringify(error), JSON.stringify({ ...(error as object) }), inspect(error), whole(error)];
}

/** The messages on the channels of the mesh. */
function published(): Sink {
  const seen: unknown[] = [];
  for (const name of channelNames) subscribe(name, (message) => void seen.push(name, message));
  return { name: "channels", marker: "inmesh:discovery:error", leak: (value) => void seen.push({ value }), read: () => whole(seen) };
}

/** The text of a scrape. */
function scraped(): Sink {
  const observer = prometheus();
  const leak = (value: string) => observer.onEvent?.({ type: "breaker", service: value, state: "open" });
  // A name that discovery has resolved is a label; any other is not.
  const resolve = (value: string) =>
    observer.onEvent?.({
      type: "endpoints",
      service: value,
      endpoints: [{ id: "a", host: "a", port: 1 }],
      rejected: [],
      quarantined: false,
    });
  return {
    name: "scrape",
    marker: "http_client_request_duration_seconds_bucket",
    observer,
    leak: (value) => {
      resolve(value);
      leak(value);
    },
    read: () => observer.metrics(),
  };
}

/** The JSON of the live page. */
function shownOnPage(): Sink {
  let page: Admin | undefined;
  const get = async (path: string) => (await fetch(new URL(path, page?.url))).text();
  const read = async (mesh: Mesh): Promise<string> => {
    const services = mesh.services().map((name) => `api/services/${name}`);
    // With the mesh the page is gone.
    return Promise.all(["api/mesh", ...services].map(get)).then((texts) => [...texts, whole(page)].join("\n"), String);
  };
  const begin = async (mesh: Mesh) => {
    page = await admin(mesh, { port: 0, token: secrets.adminToken });
  };
  return { name: "page", marker: "ERR_MESH_CONNECT", begin, read };
}

/** One line for each. */
export function sinksOf(services: readonly string[], errors: readonly unknown[], lastGoodDirectory: string): readonly Sink[] {
  const [metrics, traces, warnings] = [new MetricsSdk(), new TracesSdk(), [] as Error[]];
  process.on("warning", (warning) => warnings.push(warning));
  const files = () =>
    readdirSync(lastGoodDirectory, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".json"))
      .map((file) => readFileSync(join(lastGoodDirectory, file), "utf8"));
  const explain = (mesh: Mesh) =>
    services.map((service) => mesh.explain(service)).flatMap((each) => [whole(each), JSON.stringify(each), String(each)]);
  return [
    { name: "errors", marker: "ERR_MESH_CONNECT", read: () => errors.flatMap(shown).join("\n") },
    { name: "explain", marker: "closed", read: (mesh) => explain(mesh).join("\n") },
    { name: "mesh", marker: "ClientMesh", read: (mesh) => whole([mesh, mesh.agent(), mesh.dispatcher()]) },
    { name: "metrics", marker: "http.client.request.duration", read: async () => whole(await metrics.collect()) },
    {
      name: "spans",
      marker: "server.address",
      read: () => whole(traces.spans.map(({ name, attributes, events, status, links }) => [name, attributes, events, status, links])),
    },
    published(),
    scraped(),
    shownOnPage(),
    { name: "last-good", marker: "endpoints", read: () => files().join("\n") },
    { name: "warnings", marker: "a warning", read: () => warnings.flatMap(shown).join("\n") },
  ];
}
