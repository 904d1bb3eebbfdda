import { figure, figuresLine } from "../../core/text/figures.ts";
import type { EndpointRow } from "../snapshot.ts";

/**
 * The knowledge of a picker about an instance, as text: a cost with its terms, `cost 25.2 = (8.1 ms + 0 ms waiting) × load 2 + 9 ms for failures`, or the figures by
 * their names. Empty without any.
 */
export function figuresText(picker: EndpointRow["picker"] | undefined): string {
  if (picker === undefined || picker === null) return "";
  const { cost, latencyMs, waitingMs, load, penaltyMs, failureRatio } = picker;
  const terms = [cost, latencyMs, waitingMs, load, penaltyMs];
  if (!terms.every((term) => typeof term === "number")) return figuresLine(picker);
  const [total, latency, waiting, busy, penalty] = terms.map(figure);
  const failing = typeof failureRatio === "number" && failureRatio > 0 ? ` (rate ${figure(failureRatio)})` : "";
  return `cost ${total} = (${latency} ms + ${waiting} ms waiting) × load ${busy} + ${penalty} ms for failures${failing}`;
}

/** How many attempts have failed, and their part: `12 (1 %)`. */
export function failedText({ failures, failureRatio }: Pick<EndpointRow, "failures"> & Partial<EndpointRow>): string {
  if (failures === 0) return "0";
  return failureRatio === undefined || failureRatio === null ? String(failures) : `${failures} (${figure(100 * failureRatio)} %)`;
}

/** Why an instance is chosen or not: why it is avoided comes first, since it explains its share. */
export function whyText({ avoided, reason, warning }: Pick<EndpointRow, "reason"> & Partial<EndpointRow>): string {
  return [avoided == null ? undefined : `avoided: ${avoided}`, reason, warning].filter((text) => text != null).join("; ");
}
