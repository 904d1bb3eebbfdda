import type { LeftOut } from "../core/left-out.ts";
import { type Discovery, type DiscoveryAnswer, nameOf } from "./discovery.ts";

/** A {@link DiscoveryAnswer} that has been read; what it leaves out is a list. */
export type CheckedAnswer = Required<DiscoveryAnswer>;

/** Entries kept of a list of what was left out. Tenants of a registry write them. */
const maxLeftOut = 10_000;
const maxReasonLength = 200;
const nothing: readonly LeftOut[] = [];

/**
 * Reads a value that an adapter yielded for `service`. Throws a `TypeError` that names adapter and service when it is neither an array nor
 * a {@link DiscoveryAnswer}. The entries are not looked at; `validateEndpoints` does that.
 */
export function checkedAnswer(yielded: unknown, discovery: Pick<Discovery, "name">, service: string): CheckedAnswer {
  if (Array.isArray(yielded)) return { endpoints: yielded, certain: false, leftOut: nothing };
  const { endpoints, certain, leftOut } = (yielded ?? {}) as Partial<Record<keyof DiscoveryAnswer, unknown>>;
  if (Array.isArray(endpoints) && typeof certain === "boolean" && (leftOut === undefined || Array.isArray(leftOut)))
    return { endpoints, certain, leftOut: leftOut === undefined || leftOut.length === 0 ? nothing : readLeftOut(leftOut) };
  throw new TypeError(
    `${nameOf(discovery)}: watch("${service}") yielded ${shapeOf(yielded, endpoints, certain, leftOut)}; ` +
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
function shapeOf(yielded: unknown, endpoints: unknown, certain: unknown, leftOut: unknown): string {
  if (typeof yielded !== "object" || yielded === null) return yielded === null ? "null" : `a value of type ${typeof yielded}`;
  const rest = leftOut === undefined || Array.isArray(leftOut) ? "" : `, leftOut: ${typeof leftOut}`;
  return `{ endpoints: ${Array.isArray(endpoints) ? "array" : typeof endpoints}, certain: ${typeof certain}${rest} }`;
}
