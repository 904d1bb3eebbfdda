import { aimd } from "../../policies/concurrency/aimd.ts";
import { gradient2 } from "../../policies/concurrency/gradient2.ts";
import { type Build, namedBy, rawOptions } from "./named-value.ts";

const limits: Readonly<Record<string, Build>> = {
  aimd: async (reader, path, given) => aimd(await rawOptions(reader, path, given)),
  gradient2: async (reader, path, given) => gradient2(await rawOptions(reader, path, given)),
};

/** Reads a limit of concurrency that adapts. */
export const readLimit: ReturnType<typeof namedBy> = namedBy("limit", limits, ({ names }) => names.limits);

/** The names of the limits that inmesh has. */
export const limitNames: readonly string[] = Object.keys(limits);
