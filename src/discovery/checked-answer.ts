import type { LeftOut } from "../core/left-out.ts";
import { type Discovery, type DiscoveryAnswer, nameOf } from "./discovery.ts";

/** A {@link DiscoveryAnswer} that has been read; its lists are lists. */
export type CheckedAnswer = Required<DiscoveryAnswer>;

/** Entries kept of a list of what was left out. Tenants of a registry write them. */
const maxLeftOut = 10_000;
const maxReasonLength = 200;
const nothing: readonly never[] = [];

/**
 * Reads a value that an adapter yielded for `service`. Throws a `TypeError` that names adapter and service when it is neither an array nor
 * a {@link DiscoveryAnswer}. The entries are not looked at; `validateEndpoints` does that.
 */
export function checkedAnswer(yielded: unknown, discovery: Pick<Discovery, "name">, service: string): CheckedAnswer {
  if (Array.isArray(yielded)) return { endpoints: yielded, certain: false, leftOut: nothing, unconfirmed: nothing };
  const {
    endpoints,
    certain,
    leftOut = nothing,
    unconfirmed = nothing,
  } = (yielded ?? {}) as Partial<Record<keyof DiscoveryAnswer, unknown>>;
  if (Array.isArray(endpoints) && typeof certain === "boolean" && Array.isArray(leftOut) && Array.isArray(unconfirmed))
    return { endpoints, certain, leftOut: leftOut.length === 0 ? nothing : readLeftOut(leftOut), unconfirmed };
  throw new TypeError(
    `${nameOf(discovery)}: watch("${service}") yielded ${shapeOf(yielded, endpoints, certain, { leftOut, unconfirmed })}; ` +
      "expected an array of endpoints, or { endpoints, certain } with an array and a boolean",
  );
}

/** Those that have a reason. */
function readLeftOut(entries: readonly unknown[]): readonly LeftOut[] {
  return entries.slice(0, maxLeftOut).flatMap((entry): LeftOut[] => {
    const { id, reason, withdrawn } = (entry ?? {}) as Partial<Record<keyof LeftOut, unknown>>;
    if (typeof reason !== "string") return [];
    return [
      {
        ...(typeof id === "string" ? { id } : {}),
        reason: reason.slice(0, maxReasonLength),
        ...(withdrawn === true ? { withdrawn } : {}),
      },
    ];
  });
}

/** Types only: what a registry sent is neither quoted nor of any size. */
function shapeOf(yielded: unknown, endpoints: unknown, certain: unknown, lists: Readonly<Record<string, unknown>>): string {
  if (typeof yielded !== "object" || yielded === null) return yielded === null ? "null" : `a value of type ${typeof yielded}`;
  const wrong = Object.entries(lists).filter(([, list]) => !Array.isArray(list));
  const rest = wrong.map(([name, value]) => `, ${name}: ${typeof value}`).join("");
  return `{ endpoints: ${Array.isArray(endpoints) ? "array" : typeof endpoints}, certain: ${typeof certain}${rest} }`;
}
