import { AsyncLocalStorage } from "node:async_hooks";
import { type Clock, systemClock } from "../core/clock.ts";

/** What the request that this process is answering says about itself, for the calls it makes meanwhile. */
export interface Incoming {
  /** Milliseconds that its caller still waits; `Infinity` when it did not say. */
  remainingMs(): number;
  /** Which attempt of its caller's call it is; 1 for the first. */
  readonly attempt: number;
}

/** The header with the milliseconds that the caller still waits. Relative, so that clocks need not agree. */
export const deadlineHeader = "x-mesh-deadline-ms";
/** The header with the number of the attempt, from the second on. */
export const attemptHeader = "x-mesh-attempt";

/** Calls of a process that never answers through {@link continueFrom} are not to pay for looking. */
let isUsed = false;
const storage = new AsyncLocalStorage<Incoming>();

/** Headers as `node:http`, Fastify or Express have them, or a `Headers`. */
export type IncomingHeaders = Readonly<Record<string, string | readonly string[] | undefined>> | Pick<Headers, "get">;

/**
 * Runs `handler` as the answer to a request with these headers: calls it makes through the mesh end when the caller of that request
 * stops waiting (`x-mesh-deadline-ms`), and when that request is itself a retry (`x-mesh-attempt`), they may be retried half as often, so
 * that the layers of a system do not multiply their attempts. Whoever sends the headers can only shorten its own request.
 */
export function continueFrom<T>(headers: IncomingHeaders, handler: () => T, clock: Clock = systemClock): T {
  const waitsMs = numberOf(headers, deadlineHeader);
  const attempt = numberOf(headers, attemptHeader) ?? 1;
  if (waitsMs === undefined && attempt <= 1) return handler();
  isUsed = true;
  const endsAt = waitsMs === undefined ? Number.POSITIVE_INFINITY : clock.now() + waitsMs;
  return storage.run({ attempt, remainingMs: () => endsAt - clock.now() }, handler);
}

/** What {@link continueFrom} has said of the request that is being answered here; `undefined` outside of one. */
export function incoming(): Incoming | undefined {
  return isUsed ? storage.getStore() : undefined;
}

/** Whether the request that is being answered here is itself a retry. */
export function isAnsweringRetry(): boolean {
  return (incoming()?.attempt ?? 1) > 1;
}

/** Digits only, and not more than a day has milliseconds: what is anything else was not written by a mesh. */
function numberOf(headers: IncomingHeaders, name: string): number | undefined {
  const value = typeof headers["get"] === "function" ? headers["get"](name) : (headers as Record<string, unknown>)[name];
  return typeof value === "string" && /^\d{1,8}$/.test(value) ? Number(value) : undefined;
}
