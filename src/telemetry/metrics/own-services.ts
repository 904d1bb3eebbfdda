import type { Attributes } from "@opentelemetry/api";
import { attribute } from "../attribute-names.ts";
import { ValueSets } from "./attribute-sets.ts";

/** The attributes of one service. */
interface Series {
  readonly attributes: Attributes;
  /** The same with each state. */
  readonly states: ValueSets;
}

/** Services with series; beyond it those that have nothing to report any more lose theirs. */
const maxServices = 128;

/** Series of the services that this process is an instance of. Their names are its own, so that each has series. */
export class OwnServices {
  readonly #stateName: string;
  readonly #byService = new Map<string, Series>();

  /** @param stateName the attribute that holds the state */
  constructor(stateName: string) {
    this.#stateName = stateName;
  }

  /** The series of a service. */
  of(service: string): Series {
    let series = this.#byService.get(service);
    if (series === undefined) {
      const attributes = { [attribute.service]: service };
      series = { attributes, states: new ValueSets(attributes, this.#stateName) };
      this.#byService.set(service, series);
    }
    return series;
  }

  /** Reports how many of `all` are in each state, also zeros of services that had some before. */
  countStates<State extends string>(
    all: readonly { readonly service: string; readonly state: string }[],
    states: readonly State[],
    report: (count: number, attributes: Attributes) => void,
  ): void {
    for (const { service } of all) this.of(service);
    for (const [service, series] of this.#byService) {
      const own = all.filter((each) => each.service === service);
      if (own.length === 0 && this.#byService.size > maxServices) {
        this.#byService.delete(service);
        continue;
      }
      for (const state of states) report(own.filter((each) => each.state === state).length, series.states.of(state));
    }
  }
}
