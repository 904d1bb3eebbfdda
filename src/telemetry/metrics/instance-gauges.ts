import type { Attributes } from "@opentelemetry/api";
import type { InstanceFigures } from "../../core/observing/reading.ts";
import { attribute } from "../attribute-names.ts";
import { peerAttributes } from "../attribute-values.ts";
import { ValueSets } from "./attribute-sets.ts";
import type { GaugeKey, Report } from "./metric-sink.ts";

/** A service of more instances has no gauges of each: they would be explained at every collection, and make eight series each. */
export const maxExplained = 100;
/** The terms of a cost, which add up to it. */
const terms = ["latency", "waiting", "in_flight", "failures"] as const;

/** The attribute sets of one instance. */
class InstanceSets {
  readonly own: Attributes;
  readonly shares: ValueSets;
  readonly terms: ValueSets;

  constructor(own: Attributes) {
    this.own = own;
    this.shares = new ValueSets(own, attribute.shareKind);
    this.terms = new ValueSets(own, attribute.costTerm);
  }
}

/** The gauges of the instances of one service: their shares, their costs, their failures, and whether they are avoided. */
export class InstanceGauges {
  readonly #service: Attributes;
  readonly #sets = new Map<string, InstanceSets>();

  /** @param service the attributes of the service */
  constructor(service: Attributes) {
    this.#service = service;
  }

  report(instances: readonly InstanceFigures[], report: Report<GaugeKey>): void {
    const gone = new Map(this.#sets);
    for (const instance of instances) {
      const key = `${instance.endpoint.host} ${instance.endpoint.port}`;
      gone.delete(key);
      const sets = this.#sets.get(key) ?? new InstanceSets({ ...this.#service, ...peerAttributes(instance) });
      this.#sets.set(key, sets);
      reportInstance(instance, sets, report);
    }
    // Once more as 0: the SDK goes on exporting the last value of a series that is no longer observed.
    for (const [key, sets] of gone) {
      reportInstance(nothing, sets, report);
      this.#sets.delete(key);
    }
  }
}

const nothing: Omit<InstanceFigures, "endpoint"> = { avoided: undefined, shareGot: 0, shareMeant: 0, failureRatio: 0, picker: undefined };

function reportInstance(instance: Omit<InstanceFigures, "endpoint">, sets: InstanceSets, report: Report<GaugeKey>): void {
  const { avoided, shareGot = 0, shareMeant = 0, failureRatio = 0, picker } = instance;
  report("endpointShare", shareGot, sets.shares.of("got"));
  report("endpointShare", shareMeant, sets.shares.of("meant"));
  report("endpointFailures", failureRatio, sets.own);
  report("endpointAvoided", avoided === undefined ? 0 : 1, sets.own);
  const cost = picker === undefined ? undefined : termsOf(picker);
  for (const [index, term] of terms.entries()) report("endpointCost", (cost?.[index] ?? 0) / 1_000, sets.terms.of(term));
}

/** The terms of a cost in milliseconds; `undefined` for a picker whose cost has none. */
function termsOf(picker: NonNullable<InstanceFigures["picker"]>): readonly number[] | undefined {
  const { latencyMs, waitingMs, load, penaltyMs } = picker;
  const given = [latencyMs, waitingMs, load, penaltyMs];
  if (!given.every((each) => typeof each === "number" && Number.isFinite(each))) return undefined;
  const [latency, waiting, busy, penalty] = given as number[] as [number, number, number, number];
  return [latency, waiting, (latency + waiting) * (busy - 1), penalty];
}
