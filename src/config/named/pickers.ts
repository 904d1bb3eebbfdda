import type { Picker } from "../../balancer/picker.ts";
import { adaptive } from "../../balancer/pickers/adaptive.ts";
import { adaptiveOptions } from "../../balancer/pickers/adaptive-options.ts";
import { leastRequest, leastRequestOptions } from "../../balancer/pickers/least-request.ts";
import { maglev, maglevOptions } from "../../balancer/pickers/maglev.ts";
import { peakEwma, peakEwmaOptions } from "../../balancer/pickers/peak-ewma.ts";
import { prequal } from "../../balancer/pickers/prequal.ts";
import { prequalOptions } from "../../balancer/pickers/prequal-options.ts";
import { random, randomOptions } from "../../balancer/pickers/random.ts";
import { ringHash, ringHashOptions } from "../../balancer/pickers/ring-hash.ts";
import { roundRobin, roundRobinOptions } from "../../balancer/pickers/round-robin.ts";
import { weighted } from "../../balancer/pickers/weighted.ts";
import { weightedOptions } from "../../balancer/pickers/weighted-options.ts";
import type { OptionRule } from "../../core/settings/option-rule.ts";
import { nginxOptions } from "../../nginx/pickers/nginx-options.ts";
import { nginx } from "../../nginx/pickers/nginx-picker.ts";
import { type Build, namedBy, optionsBehind } from "./named-value.ts";

interface NamedPicker {
  readonly table: { readonly rules: Readonly<Record<string, OptionRule<unknown>>> };
  readonly create: (options: never) => Picker;
}

/** The pickers by their names, with the tables of their options. */
export const pickers: Readonly<Record<string, NamedPicker>> = {
  adaptive: { table: adaptiveOptions, create: adaptive },
  leastRequest: { table: leastRequestOptions, create: leastRequest },
  maglev: { table: maglevOptions, create: maglev },
  nginx: { table: nginxOptions, create: nginx },
  peakEwma: { table: peakEwmaOptions, create: peakEwma },
  prequal: { table: prequalOptions, create: prequal },
  random: { table: randomOptions, create: random },
  ringHash: { table: ringHashOptions, create: ringHash },
  roundRobin: { table: roundRobinOptions, create: roundRobin },
  weighted: { table: weightedOptions, create: weighted },
};

function buildWith({ table, create }: NamedPicker): Build {
  return async (reader, path, given) => create((await optionsBehind(reader, path, given, table)) as never);
}

/** Reads a picker. */
export const readPicker: ReturnType<typeof namedBy> = namedBy(
  "picker",
  Object.fromEntries(Object.entries(pickers).map(([name, picker]) => [name, buildWith(picker)])),
  ({ names }) => names.pickers,
);
