import type { IncomingMessage, ServerResponse } from "node:http";
import { percentDecoded } from "../core/http/percent-encoding.ts";
import { type InstanceState, instanceStates } from "../core/upstream.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { readChange } from "./change-request.ts";
import type { EventStreams } from "./event-streams.ts";
import type { Gate, Refusal } from "./gate.ts";
import type { PageFile } from "./page-files.ts";
import type { Readings, ServiceQuery } from "./readings.ts";

/** The parts that answer requests. */
export interface RequestsOptions {
  readonly mesh: Pick<Mesh, "eject" | "readmit">;
  readonly gate: Gate;
  readonly readings: Readings;
  readonly streams: EventStreams;
  readonly page: ReadonlyMap<string, PageFile>;
}

const safe = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** A response in JSON. */
interface Answer {
  readonly status: number;
  readonly value: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers one request. GET only reads, POST alone changes. Never rejects. */
export async function respond(options: RequestsOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  for (const [name, value] of Object.entries(safe)) response.setHeader(name, value);
  try {
    const answer = await answerTo(options, request, response);
    if (answer === undefined) return;
    response.writeHead(answer.status, { "content-type": "application/json; charset=utf-8", ...answer.headers });
    response.end(JSON.stringify(answer.value));
  } catch {
    // The client has gone while its body was read, or this code has a bug: neither is disclosed.
    if (!response.headersSent) response.writeHead(500);
    response.end();
  }
}

/** The response to one request; `undefined` when it has been sent already. */
async function answerTo(options: RequestsOptions, request: IncomingMessage, response: ServerResponse): Promise<Answer | undefined> {
  const refusal = options.gate.any(request);
  if (refusal !== undefined) return refused(refusal);
  const url = URL.parse(request.url ?? "", "http://admin");
  // Refuses absolute forms, `//host`, and targets that are no path.
  if (url === null || url.host !== "admin") return refused({ status: 400, why: "the request target is no path" });
  const [, name, what] = /^\/api\/services\/([^/]+)\/(eject|readmit)$/.exec(url.pathname) ?? [];
  if (name !== undefined && what !== undefined) {
    if (request.method !== "POST") return notAllowed("POST");
    return change(options, request, name, what as "eject" | "readmit");
  }
  if (request.method !== "GET" && request.method !== "HEAD") return notAllowed("GET, HEAD");
  return read(options, request, response, url);
}

function read(options: RequestsOptions, request: IncomingMessage, response: ServerResponse, url: URL): Answer | undefined {
  const { gate, readings, streams, page } = options;
  const file = page.get(url.pathname);
  if (file !== undefined) {
    response.setHeader("content-type", file.type);
    response.end(file.body);
    return undefined;
  }
  // It discloses only that the server is up, so it takes no token.
  if (url.pathname === "/healthz") return { status: 200, value: { status: "ok" } };
  if (!url.pathname.startsWith("/api/")) return { status: 404, value: { error: "there is no such page" } };
  const refusal = gate.read(request);
  if (refusal !== undefined) return refused(refusal);
  if (url.pathname === "/api/mesh") return { status: 200, value: readings.mesh() };
  if (url.pathname === "/api/events") {
    if (request.method === "HEAD") return { status: 200, value: {} };
    return streams.open(response) ? undefined : { status: 503, value: { error: "too many pages are open" } };
  }
  const name = percentDecoded(/^\/api\/services\/([^/]+)$/.exec(url.pathname)?.[1] ?? "") || undefined;
  if (name === undefined) return { status: 404, value: { error: "there is no such thing to read" } };
  const query = queryOf(url.searchParams);
  if (typeof query === "string") return refused({ status: 400, why: query });
  const service = readings.service(name, query);
  return service === undefined ? { status: 404, value: { error: "this service was not called" } } : { status: 200, value: service };
}

async function change(
  { mesh, gate }: RequestsOptions,
  request: IncomingMessage,
  encodedName: string,
  what: "eject" | "readmit",
): Promise<Answer> {
  const refusal = gate.change(request);
  if (refusal !== undefined) return refused(refusal);
  const asked = await readChange(request, what);
  if (typeof asked === "string") return refused({ status: 400, why: asked });
  const name = percentDecoded(encodedName) ?? "";
  const isDone = what === "eject" ? mesh.eject(name, asked.endpoint, { forMs: asked.forMs }) : mesh.readmit(name, asked.endpoint);
  return isDone ? { status: 200, value: { done: what } } : { status: 404, value: { error: "there is no such endpoint" } };
}

/** The query of a service; a string says what is wrong with it. */
function queryOf(parameters: URLSearchParams): ServiceQuery | string {
  const numbers = { offset: 0, limit: Number.POSITIVE_INFINITY, since: 0 };
  for (const name of ["offset", "limit", "since"] as const) {
    const text = parameters.get(name);
    if (text === null) continue;
    if (!/^\d{1,12}$/.test(text)) return `${name} must be a whole number`;
    numbers[name] = Number(text);
  }
  const state = parameters.get("state") ?? undefined;
  if (state !== undefined && !instanceStates.some((each) => each === state)) return `state must be one of ${instanceStates.join(", ")}`;
  const find = (parameters.get("find") ?? "").toLowerCase();
  return { state: state as InstanceState | undefined, find, offset: numbers.offset, limit: numbers.limit, sinceS: numbers.since };
}

/** Closes the connection: an unread body would be taken for the next request. */
const atEnd = { connection: "close" };

function refused({ status, why }: Refusal): Answer {
  return { status, value: { error: why }, headers: status === 401 ? { ...atEnd, "www-authenticate": "Bearer" } : atEnd };
}

function notAllowed(allow: string): Answer {
  return { status: 405, value: { error: `only ${allow} here` }, headers: { ...atEnd, allow } };
}
