import type { Clock } from "../../core/clock.ts";
import type { MeshDoor, RuledRequest } from "../../core/stages/mesh-door.ts";
import { Guard } from "./guard.ts";
import type { GatewayRule } from "./rule-options.ts";

/** Stands for every request: those of a rule that is not named, those that no rule matches, and what a rule that is named does not say. */
export const everyRule = "*";

/** The demands of a gateway by the rules of its routes. */
export class Guards {
  readonly #door: MeshDoor;
  readonly #byRule = new Map<string, Guard>();
  readonly #others: Guard | undefined;

  /** @throws TypeError for the name of a rule that the routes do not have: its demands would never be made. */
  constructor(door: MeshDoor, rules: Readonly<Record<string, GatewayRule>>, clock: Clock) {
    this.#door = door;
    const known = door.ruleNames();
    const { [everyRule]: every, ...named } = rules;
    this.#others = every === undefined ? undefined : new Guard(every, clock);
    for (const [name, rule] of Object.entries(named)) {
      if (known !== undefined && !known.includes(name))
        throw new TypeError(`gateway: rules.${name} is for no route; the routes are ${known.join(", ") || "none"}`);
      this.#byRule.set(name, new Guard(rule, clock, this.#others));
    }
  }

  /**
   * The demands on a request.
   * @throws MeshError where the routes have not come yet: nothing says which rule it is of.
   */
  of(request: RuledRequest): Guard | undefined {
    const rule = this.#door.ruleOf(request);
    return (rule === undefined ? undefined : this.#byRule.get(rule)) ?? this.#others;
  }
}
