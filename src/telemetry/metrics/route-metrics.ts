import type { Attributes } from "@opentelemetry/api";
import type { FaultEvent, MirrorEvent } from "../../core/observing/routes/route-events.ts";
import type { Routed } from "../../core/routed.ts";
import { attribute } from "../attribute-names.ts";
import { type CallOutcome, other } from "../attribute-values.ts";
import { ValueSets } from "./attribute-sets.ts";
import type { Sink } from "./metric-sink.ts";
import type { NamedServices } from "./named-services.ts";

/** The `inmesh.route.rule` of calls that no rule matched. */
const noRule = "_none";

/** Pairs of rule and target, or of service and rule, that have series of their own. Rules may come from a registry, and be other ones each hour. */
const maxPairs = 1_000;

/** The metrics of routes: calls by their rule, copies, and faults. */
export class RouteMetrics {
  readonly #services: NamedServices;
  readonly #sink: Sink;
  readonly #calls = new Pairs((rule, target) =>
    target === "" ? { [attribute.routeRule]: rule } : { [attribute.routeRule]: rule, [attribute.routeTarget]: target },
  );
  readonly #ofService = new Pairs((service, rule) => ({ [attribute.service]: service, [attribute.routeRule]: rule }));

  constructor(services: NamedServices, sink: Sink) {
    this.#services = services;
    this.#sink = sink;
  }

  /** A call has ended. `routed`: the decision on it; `undefined` where no rule matched. */
  readonly countCall = (routed: Routed | undefined, outcome: CallOutcome): void => {
    const sets = this.#calls.of(routed?.rule ?? noRule, routed?.target ?? "");
    this.#sink.current()?.routeCalls.add(1, sets.outcomes.of(outcome));
  };

  readonly countMirror = ({ service, rule, outcome, omission }: MirrorEvent): void => {
    const instruments = this.#sink.current();
    const sets = this.#ofService.of(this.#nameOf(service), rule);
    if (outcome !== undefined) instruments?.mirrors.add(1, sets.mirrors.of(outcome));
    else if (omission !== undefined) instruments?.mirrorsLeftOut.add(1, sets.omissions.of(omission));
  };

  readonly countFault = ({ service, rule, fault }: FaultEvent): void => {
    this.#sink.current()?.faults.add(1, this.#ofService.of(this.#nameOf(service), rule).faults.of(fault));
  };

  #nameOf(service: string): string {
    return String(this.#services.find(service).attributes[attribute.service]);
  }
}

/** The attribute sets of one pair. */
class PairSets {
  readonly outcomes: ValueSets;
  readonly mirrors: ValueSets;
  readonly omissions: ValueSets;
  readonly faults: ValueSets;

  constructor(base: Attributes) {
    this.outcomes = new ValueSets(base, attribute.outcome);
    this.mirrors = new ValueSets(base, attribute.mirrorOutcome);
    this.omissions = new ValueSets(base, attribute.mirrorOmission);
    this.faults = new ValueSets(base, attribute.fault);
  }
}

class Pairs {
  readonly #byFirst = new Map<string, Map<string, PairSets>>();
  readonly #build: (first: string, second: string) => Attributes;
  readonly #others: PairSets;
  #count = 0;

  constructor(build: (first: string, second: string) => Attributes) {
    this.#build = build;
    this.#others = new PairSets(build(other, other));
  }

  of(first: string, second: string): PairSets {
    const known = this.#byFirst.get(first)?.get(second);
    if (known !== undefined) return known;
    if (this.#count >= maxPairs) return this.#others;
    this.#count++;
    const made = new PairSets(this.#build(first, second));
    const row = this.#byFirst.get(first) ?? new Map<string, PairSets>();
    this.#byFirst.set(first, row.set(second, made));
    return made;
  }
}
