import type { CanaryEvent } from "../../../core/observing/events.ts";
import type { MeshReading } from "../../../core/observing/reading.ts";
import type { CanaryPhase } from "../../../core/observing/routes/canary-reading.ts";
import { attribute } from "../../attribute-names.ts";
import { other } from "../../attribute-values.ts";
import { ValueSets } from "../attribute-sets.ts";
import type { GaugeKey, Report, Sink } from "../metric-sink.ts";

const states: readonly CanaryPhase[] = ["stepping", "holding", "rolled-back", "finished"];

/** Rules that have series of their own. Rules may come from a registry, and be other ones each hour. */
const maxRules = 100;

/** The metrics of canaries. */
export class CanaryMetrics {
  readonly #sink: Sink;
  readonly #series = new Map<string, RuleSets>();
  readonly #others = new RuleSets(other);

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  readonly count = ({ rule, change }: CanaryEvent): void => {
    this.#sink.current()?.canaryChanges.add(1, this.#of(rule).changes.of(change));
  };

  /** Reports the canaries of `mesh`, also zeros for those whose rules are no more. */
  report(mesh: MeshReading, report: Report<GaugeKey>): void {
    const readings = new Map((mesh.canaries?.() ?? []).map((reading) => [reading.rule, reading]));
    for (const rule of readings.keys()) this.#of(rule);
    for (const [rule, { states: sets, attributes }] of this.#series) {
      const reading = readings.get(rule);
      for (const state of states) report("canaryState", state === reading?.state ? 1 : 0, sets.of(state));
      report("canaryShare", reading?.share ?? 0, attributes);
    }
  }

  #of(rule: string): RuleSets {
    const known = this.#series.get(rule);
    if (known !== undefined) return known;
    if (this.#series.size >= maxRules) return this.#others;
    const made = new RuleSets(rule);
    this.#series.set(rule, made);
    return made;
  }
}

/** The attribute sets of one rule. */
class RuleSets {
  readonly attributes: Readonly<Record<string, string>>;
  readonly states: ValueSets;
  readonly changes: ValueSets;

  constructor(rule: string) {
    this.attributes = { [attribute.routeRule]: rule };
    this.states = new ValueSets(this.attributes, attribute.canaryState);
    this.changes = new ValueSets(this.attributes, attribute.canaryChange);
  }
}
