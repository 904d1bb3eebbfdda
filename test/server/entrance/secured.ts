import { createServer, type Server, request as sendPlain } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { type AgentOptions, request as send } from "node:https";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { Credentials, Trust } from "../../../src/identity/credentials.ts";
import type { IdentityListener, IdentitySource } from "../../../src/identity/identity-source.ts";
import type { NodeServer } from "../../../src/server/node-server.ts";
import { type ServeOptions, type Serving, serve } from "../../../src/server/server.ts";
import type { Issued } from "../../support/authority.ts";

/** A source whose credentials the test gives. */
export class GivenIdentity implements IdentitySource {
  readonly name = "given";
  listener: IdentityListener | undefined;
  #credentials: Credentials | undefined;

  constructor(credentials?: Credentials) {
    this.#credentials = credentials;
  }

  watch(listener: IdentityListener) {
    this.listener = listener;
    queueMicrotask(() => this.#credentials !== undefined && this.listener?.update(this.#credentials));
    return { close: () => (this.listener = undefined) };
  }

  update(credentials: Credentials): void {
    this.#credentials = credentials;
    this.listener?.update(credentials);
  }
}

export function credentialsOf({ chain, key }: Issued, trust: Partial<Trust>): Credentials {
  return { certificate: chain, key, trust: { authorities: [], bundles: new Map(), ...trust } };
}

/** A server with an identity, which counts the requests that its handler sees. */
export async function secured(options: ServeOptions, server: NodeServer = createServer()) {
  const lines: string[] = [];
  const seen: string[] = [];
  (server as Server).on("request", (request, response) => {
    seen.push(`${request.method} ${request.url} HTTP/${request.httpVersion}`);
    request.resume();
    request.once("end", () => response.end(`ok ${request.httpVersion}`));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const access: { identity?: string; target: string }[] = [];
  const serving: Serving = serve(server, {
    signals: [],
    lameDuckMs: 0,
    graceMs: 1_000,
    log: (line) => void lines.push(line),
    inbound: {
      accessLog: {
        write: (text) =>
          void access.push(
            ...text
              .trim()
              .split("\n")
              .map((line) => JSON.parse(line) as never),
          ),
      },
    },
    ...options,
  });
  onTestFinished(async () => void (await serving.stop()));
  if (options.identity !== undefined && !(options.identity instanceof GivenIdentity && options.identity.listener === undefined))
    await serving.started;
  return { port: (server.address() as AddressInfo).port, serving, server, lines, seen, access };
}

export type ClientTls = Pick<AgentOptions, "cert" | "key" | "ca" | "maxVersion">;

/** The answer to a request over TLS on a connection of its own. */
export function askTls(port: number, tls: ClientTls, { method = "GET", path = "/" } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = send(
      {
        port,
        host: "127.0.0.1",
        path,
        method,
        agent: false,
        rejectUnauthorized: tls.ca !== undefined,
        checkServerIdentity: () => undefined,
        ...tls,
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.once("end", () => resolve(text)).once("error", reject);
      },
    );
    request.once("error", reject).end(method === "POST" ? "body" : undefined);
  });
}

/** The answer to a request in clear text. */
export function askPlain(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = sendPlain({ port, host: "127.0.0.1", agent: false }, (response) => {
      response.setEncoding("utf8").on("data", (part: string) => resolve(part));
    });
    request.once("error", reject).end();
  });
}

/** The answer to a request over HTTP/2. */
export function askHttp2(url: string, tls: ClientTls = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(url, { rejectUnauthorized: false, ...tls });
    session.once("error", reject);
    const stream = session.request({ ":path": "/" });
    stream.setEncoding("utf8").once("data", (text: string) => {
      resolve(text);
      session.close();
    });
    stream
      .once("error", reject)
      .once("close", () => reject(new Error("closed")))
      .end();
  });
}
