import type { ServerResponse } from "node:http";
import { type ScriptedServer, type SeenRequest, scriptedServer } from "../scripted-server.ts";

/** A request as the scripted server got it. */
export interface SeenCall extends Omit<SeenRequest, "target"> {
  /** Path and query. */
  readonly path: string;
}

/** What a script answers; `undefined` leaves the request unanswered. */
export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Breaks the connection off after the body, which was announced to be longer. */
  readonly isCutOff?: boolean;
}

/** Answers the call with this number, counted from 0. */
export type EurekaScript = (call: SeenCall, number: number) => ScriptedAnswer | undefined;

/** A Eureka server that answers as a test says. */
export interface ScriptedEureka extends ScriptedServer<SeenCall> {
  /** The service URL. */
  readonly url: string;
}

export async function scriptedEureka(script: EurekaScript, tls?: { readonly key: string; readonly cert: string }): Promise<ScriptedEureka> {
  const server = await scriptedServer(
    ({ target, ...request }): SeenCall => ({ ...request, path: target }),
    (call, response, number) => send(response, script(call, number)),
    tls,
  );
  return Object.assign(server, { url: `${server.origin}/eureka` });
}

function send(response: ServerResponse, answer: ScriptedAnswer | undefined): void {
  if (answer === undefined) return;
  const content = Buffer.from(answer.body ?? "");
  const length = answer.isCutOff ? content.byteLength + 1 : content.byteLength;
  response.writeHead(answer.status ?? 200, { "content-length": length, ...answer.headers });
  if (answer.isCutOff) response.write(content, () => response.socket?.destroy());
  else response.end(content);
}

/** An instance as Eureka lists it. */
export function listedInstance(overrides: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    instanceId: "host:users:8080",
    hostName: "users-1.internal",
    app: "USERS",
    ipAddr: "127.0.0.1",
    status: "UP",
    overriddenStatus: "UNKNOWN",
    port: { $: 8080, "@enabled": "true" },
    securePort: { $: 8443, "@enabled": "false" },
    vipAddress: "users",
    secureVipAddress: "users",
    metadata: { "@class": "java.util.Collections$EmptyMap" },
    ...overrides,
  };
}

/** A registry with these instances, grouped by their `app`. */
export function registryOf(...instances: readonly Readonly<Record<string, unknown>>[]): string {
  const names = [...new Set(instances.map(({ app }) => app))];
  const application = names.map((name) => ({ name, instance: instances.filter(({ app }) => app === name) }));
  return JSON.stringify({ applications: { versions__delta: "1", apps__hashcode: "", application } });
}
