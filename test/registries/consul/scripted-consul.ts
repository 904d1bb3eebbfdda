import type { ServerResponse } from "node:http";
import { type ScriptedServer, type SeenRequest as SeenAny, scriptedServer } from "../scripted-server.ts";

/** A request as the scripted agent got it. */
export interface SeenRequest extends Omit<SeenAny, "target"> {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Answers the request with this number, counted from 0; leaving it unanswered is a blocking query nothing wakes. */
export type Script = (request: SeenRequest, response: ServerResponse, number: number) => void;

/** A Consul agent that answers as a test says. */
export interface ScriptedConsul extends ScriptedServer<SeenRequest> {
  readonly url: string;
}

export async function scriptedConsul(script: Script): Promise<ScriptedConsul> {
  const server = await scriptedServer(({ target, ...request }): SeenRequest => {
    const { pathname, searchParams } = new URL(target, "http://scripted");
    return { ...request, path: pathname, query: searchParams };
  }, script);
  return Object.assign(server, { url: server.origin });
}

/** Answers with JSON and, unless told otherwise, with an index of 1. */
export function answer(
  response: ServerResponse,
  body: unknown,
  headers: Readonly<Record<string, string>> = { "x-consul-index": "1" },
  status = 200,
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

/** Answers with a status and a line of text, as Consul does when something is wrong. */
export function refuse(response: ServerResponse, status: number, line: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" });
  response.end(line);
}

/** A passing entry of `/v1/health/service/orders` at 127.0.0.1. */
export function entry(
  port: number,
  overrides: { readonly service?: object; readonly node?: object; readonly checks?: unknown } = {},
): unknown {
  return {
    Node: { Node: "node-1", Address: "10.0.0.1", Datacenter: "dc1", ...overrides.node },
    Service: {
      ID: `orders-${port}`,
      Service: "orders",
      Address: "127.0.0.1",
      Port: port,
      Tags: [],
      Meta: {},
      Weights: { Passing: 1, Warning: 1 },
      ...overrides.service,
    },
    Checks: overrides.checks ?? [{ CheckID: "serfHealth", Status: "passing" }],
  };
}
