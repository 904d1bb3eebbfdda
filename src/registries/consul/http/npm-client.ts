import type { EventEmitter } from "node:events";
import type { Agent, ClientRequest } from "node:http";
import { load as loadPackage } from "./consul-package.cjs";
import { RequestContext } from "./request-context.ts";

/** The options of a method of the npm client. The package ignores the case of their names. */
export interface NpmCallOptions {
  readonly [option: string]: unknown;
  readonly ctx: EventEmitter;
  readonly token?: string;
}

/** A method of the npm client. It resolves with `[response, body]`, because the context sets `includeResponse`. */
export type NpmMethod = (options: NpmCallOptions) => Promise<unknown>;

/** The part of the npm package `consul` that is used. Its own types lack most of it. */
export interface NpmConsul {
  readonly health: { service: NpmMethod };
  readonly query: { execute: NpmMethod };
  readonly catalog: { readonly service: { list: NpmMethod; nodes: NpmMethod } };
  readonly agent: {
    readonly service: { list: NpmMethod; register: NpmMethod; deregister: NpmMethod; maintenance: NpmMethod };
    readonly check: { list: NpmMethod; pass: NpmMethod; fail: NpmMethod };
  };
  /** The way by which its own methods send, for what it has no method for. */
  _get(request: NpmRawRequest, answer: NpmMiddleware): Promise<unknown>;
  _post(request: NpmRawRequest, answer: NpmMiddleware): Promise<unknown>;
  _put(request: NpmRawRequest, answer: NpmMiddleware): Promise<unknown>;
}

/** A request as the methods of the npm client make them. */
export interface NpmRawRequest {
  readonly name: string;
  /** Behind `/v1`. */
  readonly path: string;
  readonly query: Record<string, unknown>;
  readonly headers: Record<string, string>;
  readonly ctx: EventEmitter;
  readonly type?: "json";
  readonly body?: Record<string, unknown>;
}

/** Ends a request: calls `next` with the error, or with the result that the method resolves with. */
export type NpmMiddleware = (
  request: { readonly err?: { response?: unknown }; readonly res?: { readonly statusCode?: number; readonly body?: unknown } },
  next: (goOn: false, error?: unknown, result?: unknown) => void,
) => void;

/** The body of an answer that is said to be JSON, not parsed yet. */
export class JsonText {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}

interface NpmRequest {
  readonly ctx?: unknown;
  readonly opts: { readonly query: Record<string, unknown>; readonly body?: Record<string, unknown> };
  transport: { request(options: object): ClientRequest };
}

type Hook = (request: NpmRequest, next: () => void) => void;
type NpmConstructor = new (options: object) => NpmConsul & { _ext(event: string, hook: Hook): void };

/**
 * Loads the npm package `consul` and makes a client for the agent at `url`. The package is an optional peer, so it is loaded here and
 * nowhere else. Throws an Error that says what to install when it is missing or of another version.
 */
export function npmConsul(url: string, agent: Agent, load: () => unknown = loadPackage): NpmConsul {
  const Consul = loadConstructor(load);
  const asItCame = (bytes: Buffer): JsonText => new JsonText(bytes);
  // The package would parse an answer of 32 MiB at once, which takes more than a second.
  const client = new Consul({ baseUrl: `${url}/v1`, agent, decoders: { "application/json": asItCame, "text/json": asItCame } });
  // The package's extension points: before a request is built, and before it is given to node:http.
  client._ext("onCreate", (request, next) => {
    if (request.ctx instanceof RequestContext) {
      Object.assign(request.opts.query, request.ctx.query);
      if (request.opts.body !== undefined) Object.assign(request.opts.body, request.ctx.body);
    }
    next();
  });
  client._ext("onRequest", (request, next) => {
    const { ctx, transport } = request;
    if (ctx instanceof RequestContext) request.transport = { request: (options) => ctx.guard(transport.request(options)) };
    next();
  });
  return client;
}

function loadConstructor(load: () => unknown): NpmConstructor {
  let loaded: unknown;
  try {
    loaded = load();
  } catch (error) {
    if ((error as { code?: unknown }).code !== "MODULE_NOT_FOUND") throw error;
    throw new Error('inmesh/consul needs the package "consul": npm install consul', { cause: error });
  }
  if (typeof loaded !== "function" || typeof loaded.prototype?._ext !== "function") {
    throw new Error('inmesh/consul needs version 2 of the package "consul": npm install consul@2');
  }
  return loaded as NpmConstructor;
}
