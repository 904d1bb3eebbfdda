import type { Metric, Registry } from "@prometheus-io/client";
import type { Collected } from "./family.ts";
import { type Format, openMetrics } from "./scrape-format.ts";

interface Readable {
  readonly name: string;
  readonly type: string;
  get(): Promise<Collected> | Collected;
  getForPromString?(): Promise<Collected> | Collected;
}

/**
 * The text of a registry in `format`, whatever its own content type is. The package intends to switch the content type instead: then a
 * concurrent scrape would be half in each format, and writing OpenMetrics removes `_total` from the names of counters for good.
 */
export function expositionOf(registry: Registry, format: Format): Promise<string> {
  const isOpen = format === openMetrics;
  const wasOpen = registry.contentType === openMetrics;
  const view = Object.create(registry, {
    contentType: { value: format },
    getMetricsAsArray: {
      value: () =>
        (registry.getMetricsAsArray() as unknown as Readable[]).map((metric) => shown(metric, isOpen, wasOpen) as unknown as Metric),
    },
  }) as Registry;
  return view.metrics();
}

/** A metric under its name in the format. */
function shown(metric: Readable, isOpen: boolean, wasOpen: boolean): Readable {
  const { name, type } = metric;
  if (type !== "counter") return metric;
  const get = async (): Promise<Collected> => {
    const collected = await (metric.getForPromString === undefined ? metric.get() : metric.getForPromString());
    const base = collected.name.replace(/_total$/, "");
    // In OpenMetrics the package adds `_total` to each sample. In the other format the suffix that it has removed is put back.
    if (isOpen) return { ...collected, name: base };
    return wasOpen ? { ...collected, name: `${base}_total` } : collected;
  };
  return { name, type, get };
}
