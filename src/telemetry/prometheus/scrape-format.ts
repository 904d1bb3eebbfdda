/** A format of a scrape: its content type as the package spells it. */
export type Format = "text/plain; version=0.0.4; charset=utf-8" | "application/openmetrics-text; version=1.0.0; charset=utf-8";

/** The text format of Prometheus. */
export const prometheusText: Format = "text/plain; version=0.0.4; charset=utf-8";
/** OpenMetrics 1.0, the format with exemplars. */
export const openMetrics: Format = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/**
 * The format for an `Accept` header (RFC 9110 §12.5.1): OpenMetrics when the client accepts version 1.0.0 of it and does not prefer plain
 * text; plain text otherwise, also for a client that accepts neither.
 */
export function formatFor(accept: string | undefined): Format {
  let metrics = 0;
  let text = 0;
  for (const { value, parameters, quality } of preferences(accept)) {
    const version = parameters.get("version");
    if (value === "application/openmetrics-text" && (version === undefined || version === "1.0.0")) metrics = Math.max(metrics, quality);
    if (value === "text/plain" && (version === undefined || version === "0.0.4")) text = Math.max(text, quality);
  }
  return metrics > 0 && metrics >= text ? openMetrics : prometheusText;
}

/** Whether an `Accept-Encoding` header names gzip. */
export function acceptsGzip(acceptEncoding: string | undefined): boolean {
  return preferences(acceptEncoding).some(({ value, quality }) => value === "gzip" && quality > 0);
}

interface Preference {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

function preferences(header = ""): readonly Preference[] {
  return header.split(",").map((part) => {
    const [value = "", ...rest] = part.split(";").map((each) => each.trim().toLowerCase());
    const parameters = new Map(
      rest.map((each) => {
        const [name = "", text = ""] = each.split("=").map((side) => side.trim());
        return [name, text.replace(/^"(.*)"$/, "$1")];
      }),
    );
    const quality = Number(parameters.get("q") ?? 1);
    return { value, parameters, quality: quality >= 0 && quality <= 1 ? quality : 0 };
  });
}
