import { type Discovery, type DiscoveryAnswer, nameOf } from "./discovery.ts";

/**
 * Reads a value that an adapter yielded for `service`. Throws a `TypeError` that names adapter and service when it is neither an array nor
 * a {@link DiscoveryAnswer}. The entries are not looked at; `validateEndpoints` does that.
 */
export function checkedAnswer(yielded: unknown, discovery: Pick<Discovery, "name">, service: string): DiscoveryAnswer {
  if (Array.isArray(yielded)) return { endpoints: yielded, certain: false };
  const { endpoints, certain } = (yielded ?? {}) as Partial<Record<keyof DiscoveryAnswer, unknown>>;
  if (Array.isArray(endpoints) && typeof certain === "boolean") return { endpoints, certain };
  throw new TypeError(
    `${nameOf(discovery)}: watch("${service}") yielded ${shapeOf(yielded, endpoints, certain)}; ` +
      "expected an array of endpoints, or { endpoints, certain } with an array and a boolean",
  );
}

/** Types only: what a registry sent is neither quoted nor of any size. */
function shapeOf(yielded: unknown, endpoints: unknown, certain: unknown): string {
  if (typeof yielded !== "object" || yielded === null) return yielded === null ? "null" : `a value of type ${typeof yielded}`;
  return `{ endpoints: ${Array.isArray(endpoints) ? "array" : typeof endpoints}, certain: ${typeof certain} }`;
}
