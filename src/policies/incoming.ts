import { AsyncLocalStorage } from "node:async_hooks";
import { type Clock, systemClock } from "../core/clock.ts";

/** The incoming request that this process is answering, as far as it concerns the calls made for its answer. */
export interface Incoming {
  /** Milliseconds that its caller still waits; `Infinity` where the request does not say. */
  remainingMs(): number;
  /** The number of the attempt that the request is for its caller, from 1. */
  readonly attempt: number;
  /** Whether the request is the copy of another one. */
  readonly isCopy: boolean;
}

/** The header with the milliseconds that the caller still waits: a duration, so that clocks need not agree. */
export const deadlineHeader = "x-mesh-deadline-ms";
/** The header with the number of the attempt, from the second on. */
export const attemptHeader = "x-mesh-attempt";
/**
 * Marks the copy of a request that a route has made. What is marked is not copied again. Other than the headers above it stays where a caller sends it: what
 * hands a request on hands the mark on.
 */
export const copyHeader = "x-mesh-mirrored";

/** Whether {@link continueFrom} was ever used: calls of other processes save the look-up. */
let isUsed = false;
const storage = new AsyncLocalStorage<Incoming>();

/** Headers of an incoming request, as `node:http`, Fastify and Express have them, or a `Headers`. */
export type IncomingHeaders = Readonly<Record<string, string | readonly string[] | undefined>> | Pick<Headers, "get">;

/**
 * Runs `handler` as the answer to an incoming request with these headers, and returns its result. Calls through a mesh within `handler` end
 * when the caller of that request stops waiting (`x-mesh-deadline-ms`). Where the request is a retry itself (`x-mesh-attempt`), they earn half
 * as many retries, so that the layers of a system do not multiply their attempts. Where it is a copy (`x-mesh-mirrored`), they are marked as copies, too,
 * and no route copies them again. The sender of the headers can only shorten its own request, and keep it from being copied.
 */
export function continueFrom<T>(headers: IncomingHeaders, handler: () => T, clock: Clock = systemClock): T {
  const waitsMs = headerNumber(headerIn(headers, deadlineHeader));
  const attempt = headerNumber(headerIn(headers, attemptHeader)) ?? 1;
  const isCopy = isPresent(headerIn(headers, copyHeader));
  return continueWith({ waitsMs: waitsMs ?? Number.POSITIVE_INFINITY, attempt, isCopy }, handler, clock);
}

/** The headers of an incoming request, read. */
export interface ReadIncoming extends Pick<Incoming, "attempt" | "isCopy"> {
  /** Milliseconds that the caller waits from now on. */
  readonly waitsMs: number;
}

/** {@link continueFrom} for headers that have been read. */
export function continueWith<T>({ waitsMs, attempt, isCopy }: ReadIncoming, handler: () => T, clock: Clock): T {
  if (waitsMs === Number.POSITIVE_INFINITY && attempt <= 1 && !isCopy) return handler();
  isUsed = true;
  const endsAt = clock.now() + waitsMs;
  return storage.run({ attempt, isCopy, remainingMs: () => endsAt - clock.now() }, handler);
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

/** `node:http` has `undefined` for a header that is not there, and a `Headers` has `null`. */
function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function headerIn(headers: IncomingHeaders, name: string): unknown {
  return typeof headers["get"] === "function" ? headers["get"](name) : (headers as Record<string, unknown>)[name];
}
