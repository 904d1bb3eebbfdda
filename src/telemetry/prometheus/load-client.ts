import type { collectDefaultMetrics, Registry } from "@prometheus-io/client";
import { load as loadPackage } from "./client-package.cjs";

/** The part of the package that is used. */
export interface PrometheusClient {
  readonly Registry: typeof Registry;
  readonly collectDefaultMetrics: typeof collectDefaultMetrics;
}

/**
 * Loads `@prometheus-io/client`, an optional peer dependency.
 * @throws Error that says what to install when the package is missing or has another version.
 */
export function loadClient(load: () => unknown = loadPackage): PrometheusClient {
  let loaded: unknown;
  try {
    loaded = load();
  } catch (error) {
    if ((error as { code?: unknown }).code !== "MODULE_NOT_FOUND") throw error;
    throw new Error('inmesh/prometheus needs the package "@prometheus-io/client": npm install @prometheus-io/client', { cause: error });
  }
  const { Registry: found, collectDefaultMetrics: defaults } = (loaded ?? {}) as Partial<PrometheusClient>;
  if (typeof found !== "function" || typeof defaults !== "function") {
    throw new Error('inmesh/prometheus needs version 0.16 of "@prometheus-io/client": npm install @prometheus-io/client@0.16');
  }
  return loaded as PrometheusClient;
}

/**
 * Checks that an option is a registry of the loaded package.
 * @throws TypeError that describes any other value.
 */
export function checkRegistry(option: string, value: unknown, { Registry: Expected }: PrometheusClient): void {
  if (value === undefined || value instanceof Expected) return;
  const isAnother = typeof (value as { registerMetric?: unknown } | null)?.registerMetric === "function";
  const found = isAnother
    ? "one of another package: prom-client, which @prometheus-io/client replaces and shares nothing with, or a second copy of it"
    : `${value === null ? "null" : `of type ${typeof value}`}`;
  throw new TypeError(`${option} must be a Registry of @prometheus-io/client, not ${found}`);
}
