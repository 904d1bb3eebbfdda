import { checkNumber, checkText, refuseOption } from "../../core/settings/checks.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { custom, integer } from "../../core/settings/rules.ts";

/** Options of zone-aware balancing. */
export interface ZoneAwareOptions {
  /** Number of available instances of a priority, 1 or more, below which zones have no effect on it. @default 6 */
  readonly minEndpoints?: number;
  /**
   * Number of callers in each zone, or the name of the calling service, whose instances discovery counts.
   * @default unknown: equally many in the caller's zone and in each zone with an instance of the service
   */
  readonly callers?: Readonly<Record<string, number>> | string;
}

/** The rules of {@link ZoneAwareOptions}. */
export const zoneAwareOptions = optionTable<ZoneAwareOptions>()({
  minEndpoints: integer({ default: 6, min: 1 }),
  callers: custom<ZoneAwareOptions["callers"]>({
    type: "object | string",
    default: undefined,
    defaultText: "unknown: equally many in the caller's zone and in each zone with an instance of the service",
    check: checkCallers,
  }),
});

function checkCallers(option: string, given: unknown): void {
  const callers = given as NonNullable<ZoneAwareOptions["callers"]>;
  if (typeof callers === "string") {
    checkText(option, callers);
    return;
  }
  if (typeof callers !== "object" || callers === null || Array.isArray(callers))
    refuseOption(option, callers, "numbers by zone or the name of a service");
  for (const [zone, count] of Object.entries(callers)) {
    checkNumber(`${option}.${zone}`, count ?? null, 0);
    if (count === Number.POSITIVE_INFINITY) throw new RangeError(`${option}.${zone} must be finite, not Infinity`);
  }
}
