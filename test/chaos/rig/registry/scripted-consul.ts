import type { ServerResponse } from "node:http";
import { type ScriptedConsul as Server, scriptedConsul as startScripted } from "../../../registries/consul/scripted-consul.ts";
import { now } from "../now.ts";
import type { Instance, World } from "../world.ts";

/** A question about `shop`. */
export interface Asked {
  readonly at: number;
  /** The index to wait at; undefined: an answer is wanted at once. */
  readonly index: string | undefined;
  readonly token: string | undefined;
}

/** What a Consul should not answer. */
export interface WrongAnswer {
  readonly status?: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A Consul whose every answer can be scripted; without a script it does what Consul does, blocking queries included. */
export interface ScriptedConsulShop {
  readonly asked: readonly Asked[];
  readonly instances: readonly Instance[];
  /** Runs, and is not listed at first. */
  readonly extra: Instance;
  readonly url: string;
  /** Lists these, which raises the index and wakes who waits. */
  list(instances: readonly Instance[]): void;
  /** Answers questions from now on, and those that wait already, unless it returns undefined. */
  script: ((asked: Asked) => WrongAnswer | undefined) | undefined;
  index: number;
  /** Wakes everybody who waits. */
  wake(): void;
}

/** Starts one with `count` instances, which the clients of this world find there. */
export async function scriptedConsulShop(world: World, count = 5): Promise<ScriptedConsulShop> {
  const [instances, [extra]] = await Promise.all([world.shop(count, {}, 0), world.shop(1, {}, 0)]);
  if (extra === undefined) throw new Error("there is no extra instance");
  const asked: Asked[] = [];
  const waiting = new Set<() => void>();
  let listed: readonly Instance[] = instances;

  const answer = (question: Asked, response: ServerResponse): void => {
    if (response.writableEnded || response.destroyed) return;
    const wrong = shop.script?.(question);
    const body = wrong?.body ?? JSON.stringify(listed.map(entryOf));
    const headers = wrong?.headers ?? { "x-consul-index": String(shop.index), "x-consul-knownleader": "true", "x-consul-lastcontact": "0" };
    response.writeHead(wrong?.status ?? 200, { "content-type": "application/json", ...headers });
    response.end(body);
  };

  const server: Server = await startScripted(({ path, query, headers }, response) => {
    if (!path.startsWith("/v1/health/service/")) return void response.writeHead(404).end();
    const token = headers["x-consul-token"];
    const question: Asked = { at: now(), index: query.get("index") ?? undefined, token: typeof token === "string" ? token : undefined };
    asked.push(question);
    if (question.index !== String(shop.index) || shop.script !== undefined) return answer(question, response);
    const wait = Number.parseInt(query.get("wait") ?? "300000", 10);
    const wake = () => {
      clearTimeout(timer);
      waiting.delete(wake);
      answer(question, response);
    };
    const timer = setTimeout(wake, wait);
    waiting.add(wake);
    response.on("close", () => {
      clearTimeout(timer);
      waiting.delete(wake);
    });
  });
  world.own(server);
  const shop: ScriptedConsulShop = {
    asked,
    instances,
    extra,
    url: server.url,
    index: 100,
    script: undefined,
    list(some) {
      listed = some;
      shop.index++;
      shop.wake();
    },
    wake() {
      for (const each of [...waiting]) each();
    },
  };
  world.load = { discovery: { kind: "consul", options: { url: server.url } } };
  return shop;
}

function entryOf({ endpoint: { id, host, port } }: Instance): unknown {
  return {
    Node: { Node: "scripted", Address: host },
    Service: { ID: id, Service: "shop", Address: host, Port: port, Weights: { Passing: 1, Warning: 1 } },
    Checks: [{ CheckID: "serfHealth", Status: "passing" }],
  };
}
