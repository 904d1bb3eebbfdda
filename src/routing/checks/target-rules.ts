import { refuseOption } from "../../core/settings/checks.ts";
import { list, type MayBeAbsent, named, part, textOr } from "../../core/settings/composite-rules.ts";
import type { OptionRule } from "../../core/settings/option-rule.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { choice, custom, integer, number, text } from "../../core/settings/rules.ts";
import type { RouteCanary, RouteHashKey, RouteSplit, RouteSubset, RouteTarget, StickyKey, WeightedTarget } from "../route.ts";
import { headerChanges } from "./header-rules.ts";
import { checkOneOf } from "./match-rules.ts";
import { matchedHeader, rangeText } from "./value-rules.ts";

const subsetTable = optionTable<RouteSubset>()({
  name: text(),
  metadata: named(text()),
  version: rangeText,
  whenEmpty: choice(["fail", "any"], "fail"),
});

const targetRules = {
  service: text("the service that was called"),
  subset: {
    ...part(subsetTable, (option, { metadata = {}, version }) => {
      if (version === undefined && Object.keys(metadata).length === 0)
        throw new TypeError(`${option} needs metadata or version: it is a part of the instances`);
    }),
    defaultText: "all instances",
  },
};

/** The options of a place that calls go to. */
export const targetTable = optionTable<RouteTarget>()(targetRules);

/** A place that calls go to, or the name of its service. */
export const targetRule: MayBeAbsent<RouteTarget | string> = textOr(part(targetTable), (option, given) => {
  if (given === "") refuseOption(option, given, "a string that is not empty");
});

/** The value that keeps calls together: `{ header }`, `{ cookie }`, `{ query }`, or a word. */
function keyRule<Key>(word: string): MayBeAbsent<Key> {
  const table = optionTable<{ readonly header?: string; readonly cookie?: string; readonly query?: string }>()({
    header: matchedHeader,
    cookie: text(),
    query: text(),
  });
  const group = part(table, (option, given) => checkOneOf(option, given, table.names));
  return {
    type: `${JSON.stringify(word)} | object`,
    default: undefined,
    defaultText: "none",
    table: group.table,
    check(option, value) {
      if (value === word) return;
      if (typeof value === "string") refuseOption(option, value, `${JSON.stringify(word)}, { header }, { cookie } or { query }`);
      group.check(option, value);
    },
  };
}

/** The key of a rule for pickers that hash. */
export const hashKeyRule: MayBeAbsent<RouteHashKey> = keyRule<RouteHashKey>("callerAddress");

const weightedTable = optionTable<WeightedTarget>()({
  ...targetRules,
  name: text("its service and its subset"),
  weight: integer({ min: 0, max: 1_000_000, defaultText: "must be given, but with a canary" }),
  requestHeaders: headerChanges,
  responseHeaders: headerChanges,
});

const canaryTable = optionTable<RouteCanary>()({
  steps: custom<readonly number[]>({
    type: "number[]",
    default: [1, 5, 25, 50, 100],
    check(option, value) {
      if (!Array.isArray(value) || value.length === 0) refuseOption(option, value, "a list of percentages");
      let before = 0;
      for (const [index, step] of value.entries()) {
        if (typeof step !== "number" || !(step > before && step <= 100))
          throw new RangeError(
            `${option}[${index}] must be above ${before} and at most 100, not ${String(step)}: each step is larger than the one before`,
          );
        before = step;
      }
    },
  }),
  stepMs: number({ default: 60_000, min: 1, unit: "ms" }),
  minCalls: integer({ default: 100, min: 1 }),
  maxExtraFailures: number({ default: 1, min: 0, max: 100, unit: "%" }),
  maxSlowdown: number({ default: 1.5, min: 1 }),
  sharedKey: text("each process decides alone"),
});

const splitTable = optionTable<RouteSplit>()({
  targets: list(part(weightedTable), 2) as OptionRule<readonly WeightedTarget[]>,
  sticky: keyRule<StickyKey>("hashKey"),
  canary: part(canaryTable),
});

/** The most that all weights of a split are together. */
const mostWeight = 4_294_967_295;

/** Calls between several targets. */
export const splitRule: MayBeAbsent<RouteSplit> = part(splitTable, (option, { targets, canary }) => {
  if (targets === undefined) throw new TypeError(`${option} needs targets`);
  if (canary !== undefined) checkCanaryTargets(option, targets);
  else checkWeights(option, targets);
});

function checkWeights(option: string, targets: readonly WeightedTarget[]): void {
  let sum = 0;
  for (const [index, { weight }] of targets.entries()) {
    if (weight === undefined) throw new TypeError(`${option}.targets[${index}] needs a weight`);
    sum += weight;
  }
  if (sum === 0) throw new RangeError(`${option}.targets have no weight: one at least needs a weight above 0`);
  if (sum > mostWeight) throw new RangeError(`${option}.targets have a weight of ${sum} together; ${mostWeight} is the most`);
}

function checkCanaryTargets(option: string, targets: readonly WeightedTarget[]): void {
  if (targets.length !== 2)
    throw new TypeError(`${option}.canary needs two targets, the one in use and the one that takes over, not ${targets.length}`);
  const weighted = targets.findIndex(({ weight }) => weight !== undefined);
  if (weighted !== -1)
    throw new TypeError(
      `${option}.targets[${weighted}].weight has no effect beside a canary, which moves the weights by itself: leave it out`,
    );
}
