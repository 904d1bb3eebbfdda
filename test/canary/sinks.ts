import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import type { Mesh, Observer } from "../../src/index.ts";
import { MetricsSdk, TracesSdk } from "../telemetry/support.ts";

/** A place where something of a call can come out. */
export interface Sink {
  readonly name: string;
  /** What it shows in every run: the test of a sink that stays empty would say nothing. */
  readonly marker: string;
  /** Joins each mesh. */
  readonly observer?: Observer;
  /** All that it shows now. Asked before a mesh is closed, and after. */
  read(mesh: Mesh): string | Promise<string>;
}

/** Everything that an object has in it, as deep as it goes. */
export const whole = (value: unknown): string =>
  inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxArrayLength: null, maxStringLength: null, breakLength: 200 });

/** What is made of errors: by people who print them, and by programs that write them down. */
function shown(error: unknown): readonly string[] {
  const { stack = "" } = error instanceof Error ? error : new Error("not an Error");
  return [String(error), stack, JSON.stringify(error), JSON.stringify({ ...(error as object) }), inspect(error), whole(error)];
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
    { name: "last-good", marker: "endpoints", read: () => files().join("\n") },
    { name: "warnings", marker: "a warning", read: () => warnings.flatMap(shown).join("\n") },
  ];
}
