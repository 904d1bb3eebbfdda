import { AsyncLocalStorage } from "node:async_hooks";
import { type Clock, systemClock } from "../core/clock.ts";

/** The incoming request that this process is answering, as far as it concerns the calls made for its answer. */
export interface Incoming {
  /** Milliseconds that its caller still waits; `Infinity` where the request does not say. */
  remainingMs(): number;
  /** The number of the attempt that the request is for its caller, from 1. */
  readonly attempt: number;
}

/** The header with the milliseconds that the caller still waits: a duration, so that clocks need not agree. */
export const deadlineHeader = "x-mesh-deadline-ms";
/** The header with the number of the attempt, from the second on. */
export const attemptHeader = "x-mesh-attempt";

/** Whether {@link continueFrom} was ever used: calls of other processes save the look-up. */
let isUsed = false;
const storage = new AsyncLocalStorage<Incoming>();

/** Headers of an incoming request, as `node:http`, Fastify and Express have them, or a `Headers`. */
export type IncomingHeaders = Readonly<Record<string, string | readonly string[] | undefined>> | Pick<Headers, "get">;

/**
 * Runs `handler` as the answer to an incoming request with these headers, and returns its result. Calls through a mesh within `handler` end
 * when the caller of that request stops waiting (`x-mesh-deadline-ms`). Where the request is a retry itself (`x-mesh-attempt`), they earn half
 * as many retries, so that the layers of a system do not multiply their attempts. The sender of the headers can only shorten its own
 * request.
 */
export function continueFrom<T>(headers: IncomingHeaders, handler: () => T, clock: Clock = systemClock): T {
  const waitsMs = headerNumber(headerIn(headers, deadlineHeader));
  const attempt = headerNumber(headerIn(headers, attemptHeader)) ?? 1;
  return continueWith({ waitsMs: waitsMs ?? Number.POSITIVE_INFINITY, attempt }, handler, clock);
}

/** {@link continueFrom} for headers that have been read: the caller waits `waitsMs` more milliseconds from now on. */
export function continueWith<T>({ waitsMs, attempt }: { waitsMs: number; attempt: number }, handler: () => T, clock: Clock): T {
  if (waitsMs === Number.POSITIVE_INFINITY && attempt <= 1) return handler();
  isUsed = true;
  const endsAt = clock.now() + waitsMs;
  return storage.run({ attempt, remainingMs: () => endsAt - clock.now() }, handler);
}

/** The incoming request that is being answered here, as {@link continueFrom} was given it; `undefined` outside of one. */
export function incoming(): Incoming | undefined {
  return isUsed ? storage.getStore() : undefined;
}

/** Whether the incoming request that is being answered here is a retry. */
export function isAnsweringRetry(): boolean {
  return (incoming()?.attempt ?? 1) > 1;
}

/**
 * A header of at most eight digits as a number (a day has 86,400,000 milliseconds); `undefined` for any other value, which no mesh writes.
 */
export function headerNumber(value: unknown): number | undefined {
  return typeof value === "string" && /^\d{1,8}$/.test(value) ? Number(value) : undefined;
}

function headerIn(headers: IncomingHeaders, name: string): unknown {
  return typeof headers["get"] === "function" ? headers["get"](name) : (headers as Record<string, unknown>)[name];
}
