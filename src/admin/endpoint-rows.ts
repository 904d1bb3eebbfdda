import type { EndpointExplanation, ServiceExplanation } from "../mesh/explanation.ts";
import { encryptionText } from "../mesh/explanation-table.ts";
import type { ServiceTally } from "./service-tally.ts";
import { shownText } from "./shown-text.ts";
import type { EndpointRow, InstanceReading, OutsideRow } from "./snapshot.ts";

/** The short form of an endpoint, for the overview. */
export function instanceOf({ endpoint, address, state, avoided }: EndpointExplanation, tally: ServiceTally): InstanceReading {
  const seen = tally.endpointOf(endpoint.id);
  return {
    id: endpoint.id,
    address,
    state,
    avoided: avoided === undefined ? null : shownText(avoided),
    secure: endpoint.secure === true,
    rps: seen?.rps ?? 0,
    success: seen?.success ?? null,
  };
}

/** An endpoint with everything that is known about it. */
export function endpointRow(explained: EndpointExplanation, tally: ServiceTally, nowMs: number): EndpointRow {
  const { endpoint, candidate, reason, share, shareGot, shareMeant, ejection, ejections, healthCheck, warning } = explained;
  const { inFlight, attempts, failures, failureRatio, latencyMs, connection, picker } = explained;
  return {
    ...instanceOf(explained, tally),
    zone: endpoint.zone ?? null,
    priority: endpoint.priority ?? 0,
    weight: endpoint.weight ?? 1,
    candidate,
    reason: shownText(reason),
    warning: warning ?? null,
    share: share ?? null,
    shareGot: shareGot ?? null,
    shareMeant: shareMeant ?? null,
    ejection: ejection === undefined ? null : { ...ejection, untilMs: ejection.untilMs ?? null },
    ejections,
    healthCheck:
      healthCheck === undefined
        ? null
        : {
            passed: healthCheck.passed,
            atMs: healthCheck.atMs,
            durationMs: healthCheck.durationMs,
            error: healthCheck.error === undefined ? null : shownText(healthCheck.error),
          },
    inFlight,
    attempts,
    failures,
    failureRatio: failureRatio ?? null,
    latencyMs,
    connection: shownText(encryptionText(connection, nowMs)),
    picker: picker === undefined ? null : shownFigures(picker),
  };
}

/** An endpoint outside of the boundary of its service. */
export function outsideRow({ endpoint, address, region, reason }: ServiceExplanation["outside"][number]): OutsideRow {
  return { id: endpoint.id, address, zone: endpoint.zone ?? null, region: region ?? null, reason: shownText(reason) };
}

/** JSON has no infinite numbers. */
function shownFigures(picker: NonNullable<EndpointExplanation["picker"]>): Record<string, number | string> {
  const entries = Object.entries(picker).map(([name, value]) => [
    shownText(name),
    typeof value === "number" && Number.isFinite(value) ? value : shownText(String(value)),
  ]);
  return Object.fromEntries(entries) as Record<string, number | string>;
}
