import type { RequestListener } from "node:http";
import type { Registry } from "@prometheus-io/client";
import type { Observer } from "../core/observing/observer.ts";
import { checkFlag, checkInteger, checkKeys, checkNumber, checkObject, maxTimerMs } from "../core/settings/checks.ts";
import { MeshMetrics } from "./metrics/mesh-metrics.ts";
import { NamedServices } from "./metrics/named-services.ts";
import { metered } from "./metrics-observer.ts";
import { expositionOf } from "./prometheus/exposition.ts";
import { Families } from "./prometheus/families.ts";
import { checkRegistry, loadClient } from "./prometheus/load-client.ts";
import { PrometheusSink } from "./prometheus/prometheus-sink.ts";
import { scrapeListener } from "./prometheus/scrape-listener.ts";

/** Options of {@link prometheus}. */
export interface PrometheusOptions {
  /** The registry of `@prometheus-io/client` for the metrics. Default: a new one. */
  readonly registry?: Registry;
  /** Adds the instance's address to the metrics of attempts and breakers: a set of series per instance. Default `false`. */
  readonly perEndpoint?: boolean;
  /** Adds `init.mesh.route` to the durations, at most 100 routes per service. Default `false`. */
  readonly perRoute?: boolean;
  /** Keeps trace and span of the last sampled call in each bucket of the durations; shown in OpenMetrics. Default `true`. */
  readonly exemplars?: boolean;
  /** Registers the package's metrics of the process too: CPU, memory, event loop, garbage collection. Default `false`. */
  readonly defaultMetrics?: boolean;
  /** Number of services with a name of their own; further ones count as `_unknown`. Default 500. */
  readonly maxServices?: number;
  /** Time limit of a scrape that the handler answers, in milliseconds. Default 10 000. */
  readonly timeoutMs?: number;
}

/** An observer that keeps the metrics of a mesh in a registry of `@prometheus-io/client`. */
export interface PrometheusObserver extends Observer {
  /** The registry that holds the metrics. */
  readonly registry: Registry;
  /** Content type of {@link PrometheusObserver.metrics}: that of the registry. */
  readonly contentType: string;
  /** The whole registry as text, in its own format. Rejects with the error that the `collect` of another metric throws. */
  metrics(): Promise<string>;
  /**
   * A listener for `node:http`, and so a handler for express: answers GET and HEAD on any path, in the text format or in OpenMetrics, as
   * the client prefers, compressed by gzip where the client accepts it.
   */
  readonly handler: RequestListener;
}

const flags = ["perEndpoint", "perRoute", "exemplars", "defaultMetrics"] as const;
const known: readonly (keyof PrometheusOptions)[] = ["registry", ...flags, "maxServices", "timeoutMs"];

/**
 * Makes an observer that keeps the metrics of a mesh for Prometheus to scrape, without an OpenTelemetry SDK, under the names that
 * Prometheus gives the same metrics when they arrive by OTLP. Make one for each mesh; observers with the same registry add up. Needs the
 * npm package `@prometheus-io/client`.
 * @throws TypeError or RangeError for a wrong option, and for a registry in which one of the names is taken.
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
  // The default metrics can be neither registered twice nor removed.
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
