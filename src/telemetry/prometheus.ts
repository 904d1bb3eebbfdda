import type { RequestListener } from "node:http";
import type { Registry } from "@prometheus-io/client";
import type { Observer } from "../core/observing/observer.ts";
import { checkFlag, checkInteger, checkKeys, checkNumber, checkObject, maxTimerMs } from "../core/options.ts";
import { MeshMetrics } from "./metrics/mesh-metrics.ts";
import { NamedServices } from "./metrics/named-services.ts";
import { metered } from "./metrics-observer.ts";
import { expositionOf } from "./prometheus/exposition.ts";
import { Families } from "./prometheus/families.ts";
import { checkRegistry, loadClient } from "./prometheus/load-client.ts";
import { PrometheusSink } from "./prometheus/prometheus-sink.ts";
import { scrapeListener } from "./prometheus/scrape-listener.ts";

/** What {@link prometheus} takes. */
export interface PrometheusOptions {
  /** Where the metrics are registered, a registry of `@prometheus-io/client`. Default: one of their own. */
  readonly registry?: Registry;
  /** Adds the instance's address to the metrics of attempts and breakers: a set of series per instance. Default `false`. */
  readonly perEndpoint?: boolean;
  /** Adds `init.mesh.route` to the durations, at most 100 routes per service. Default `false`. */
  readonly perRoute?: boolean;
  /** Keeps trace and span of the last sampled call in each bucket of the durations, which OpenMetrics shows. Default `true`. */
  readonly exemplars?: boolean;
  /** Registers what the package knows of the process too: CPU, memory, event loop, garbage collection. Default `false`. */
  readonly defaultMetrics?: boolean;
  /** Services with a name of their own; any more count as `_unknown`. Default 500. */
  readonly maxServices?: number;
  /** Milliseconds until a scrape that the handler answers is given up. Default 10 000. */
  readonly timeoutMs?: number;
}

/** An observer that keeps the metrics of a mesh in a registry of Prometheus' client. */
export interface PrometheusObserver extends Observer {
  /** Where the metrics are. */
  readonly registry: Registry;
  /** What {@link PrometheusObserver.metrics} is in: the content type of the registry. */
  readonly contentType: string;
  /** All of the registry as text, in the format of the registry. Rejects with what the `collect` of another metric throws. */
  metrics(): Promise<string>;
  /**
   * A listener for `node:http`, and so a handler for express: answers GET and HEAD in the text format or in OpenMetrics, as
   * the client prefers, with gzip where it takes it. Which path it is for is up to who calls it.
   */
  readonly handler: RequestListener;
}

const flags = ["perEndpoint", "perRoute", "exemplars", "defaultMetrics"] as const;
const known: readonly (keyof PrometheusOptions)[] = ["registry", ...flags, "maxServices", "timeoutMs"];

/**
 * Keeps the metrics of a mesh for Prometheus to scrape, without an OpenTelemetry SDK, under the names that they have in Prometheus when
 * one sends them there by OTLP. Make one for each mesh; those with the same registry add up. Needs the npm package
 * `@prometheus-io/client`. Throws a `TypeError` or `RangeError` for a wrong option, and for a registry in which one of the names is taken.
 */
export function prometheus(options: PrometheusOptions = {}): PrometheusObserver {
  checkObject("prometheus: options", options);
  checkKeys("prometheus", options, known);
  for (const flag of flags) checkFlag(`prometheus: ${flag}`, options[flag]);
  checkInteger("prometheus: maxServices", options.maxServices, 0);
  checkNumber("prometheus: timeoutMs", options.timeoutMs, 1, maxTimerMs);
  const client = loadClient();
  checkRegistry("prometheus: registry", options.registry, client);
  const { registry = new client.Registry(), perEndpoint = false, perRoute = false, exemplars = true } = options;
  const { defaultMetrics = false, maxServices = 500, timeoutMs = 10_000 } = options;

  const families = Families.in(registry);
  // They cannot be registered twice, nor taken back.
  if (defaultMetrics && registry.getSingleMetric("process_cpu_seconds_total") === undefined) {
    client.collectDefaultMetrics({ register: registry });
  }
  const services = new NamedServices(maxServices, { perEndpoint, perRoute });
  const meter = new MeshMetrics(services, (observe) => new PrometheusSink(families, observe, exemplars));
  return {
    ...metered(services, meter),
    registry,
    get contentType() {
      return registry.contentType;
    },
    metrics: () => expositionOf(registry, registry.contentType),
    handler: scrapeListener((format) => expositionOf(registry, format), timeoutMs),
  };
}
