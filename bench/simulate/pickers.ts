import type { Picker } from "../../src/extend.ts";
import * as inmesh from "../../src/index.ts";

/** Makes a picker for one client. */
export type MakePicker = (options: { readonly random: () => number }) => Picker;

const known: Readonly<Record<string, MakePicker>> = {
  roundRobin: inmesh.roundRobin,
  random: inmesh.random,
  weighted: () => inmesh.weighted(),
  leastRequest: inmesh.leastRequest,
  peakEwma: inmesh.peakEwma,
  adaptive: inmesh.adaptive,
  ringHash: inmesh.ringHash,
  maglev: inmesh.maglev,
  prequal: inmesh.prequal,
};

/** Every shipped picker by name, each made for one client with its chance. */
export const pickers: ReadonlyMap<string, MakePicker> = new Map(Object.entries(known));
