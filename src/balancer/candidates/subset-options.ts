import { checkInteger, checkKeys, checkObject, refuseOption } from "../../core/settings/checks.ts";
import { optionTable } from "../../core/settings/option-table.ts";
import { custom, integer } from "../../core/settings/rules.ts";

/** Position of this process among the clients of a service. */
export interface ClientPosition {
  /** A whole number from 0 to below `count`, different in each client, such as the ordinal of a pod. */
  readonly index: number;
  /** Number of clients, 1 or more. */
  readonly count: number;
}

/** Options of a subset of the instances. */
export interface SubsetOptions {
  /** Number of instances of each priority that this process uses, 1 or more. */
  readonly size: number;
  /**
   * A whole number below 2³². Without `client`, processes with the same seed use the same instances (gRFC A68); not allowed beside
   * `client`. @default a random one
   */
  readonly seed?: number;
  /** With it, each instance is used by equally many clients, as far as their numbers allow (Finagle's deterministic aperture). */
  readonly client?: ClientPosition;
}

/** The rules of {@link SubsetOptions}, but for {@link checkSubset}. */
export const subsetOptions = optionTable<SubsetOptions>()({
  size: { type: "number", default: undefined as never, defaultText: "must be given", range: "at least 1", check: checkSize },
  seed: integer({ defaultText: "a random one", min: 0, max: 2 ** 32 - 1 }),
  client: custom<ClientPosition | undefined>({ type: "object", default: undefined, defaultText: "none", check: checkClient }),
});

/** @throws TypeError when there are both a client and a seed */
export function checkSubset(option: string, { client, seed }: SubsetOptions): void {
  if (client !== undefined && seed !== undefined)
    throw new TypeError(`${option}.client takes no seed beside it: all clients need the same order, not ${seed}`);
}

function checkSize(option: string, size: unknown): void {
  checkGiven(option, size, 1);
}

function checkClient(option: string, given: unknown): void {
  checkObject(option, given);
  const client = given as ClientPosition;
  checkKeys(option, client, ["index", "count"]);
  checkGiven(`${option}.count`, client.count, 1);
  checkGiven(`${option}.index`, client.index, 0, client.count - 1);
}

/** Checks a whole number that has no default. */
function checkGiven(option: string, value: unknown, min: number, max?: number): void {
  if (value === undefined) refuseOption(option, value, "a number");
  checkInteger(option, value, min, max);
}
