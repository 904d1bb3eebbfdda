import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Observer } from "../../src/extend.ts";
import { createMesh, type Mesh } from "../../src/index.ts";
import type { NodeServer } from "../../src/server/node-server.ts";
import { type ServeOptions, type Serving, serve } from "../../src/server/server.ts";
import { type MemoryRegistry, memoryRegistry } from "../../src/testing/memory-registry.ts";
import { credentialsOf, GivenIdentity } from "../server/entrance/secured.ts";
import { Authority } from "../support/authority.ts";

const [web, orders] = ["spiffe://td/web", "spiffe://td/orders"];
let authority: Authority;
beforeAll(async () => {
  authority = await Authority.create("td");
});

async function identity(id: string): Promise<GivenIdentity> {
  return new GivenIdentity(credentialsOf(await authority.issue({ uris: [id] }), { bundles: new Map([["td", [authority.certificate]]]) }));
}

/** A step of an instance: its options, and whether the registry says that it speaks TLS. */
interface Step {
  readonly mode?: "permissive" | "strict";
  readonly secure?: boolean;
}

/** The requests as the handlers have seen them. */
interface Seen {
  /** Bodies, each of which must come once. */
  readonly bodies: string[];
  encrypted: number;
  clear: number;
}

/** One instance of `orders`. */
async function instance(registry: MemoryRegistry, make: () => NodeServer, { mode, secure }: Step, seen: Seen): Promise<Serving> {
  const server = make();
  server.on("request", (request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      body += part;
    });
    request.once("end", () => {
      if (request.method === "POST") seen.bodies.push(body);
      const socket = "stream" in request ? request.stream.session?.socket : request.socket;
      seen[socket !== undefined && "encrypted" in socket && socket.encrypted ? "encrypted" : "clear"]++;
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  // As in a process of its own.
  const mesh = createMesh({ discovery: registry, drainTimeoutMs: 0 });
  const options: ServeOptions = {
    mesh,
    signals: [],
    log: false,
    register: { service: "orders", id: `orders-${port}`, host: "127.0.0.1", registrar: registry, ...(secure === true ? { secure } : {}) },
    ...(mode === undefined ? {} : { identity: await identity(orders), callers: { mode } }),
  };
  const serving = serve(server, options);
  onTestFinished(async () => {
    await serving.stop();
    await mesh.close();
  });
  await serving.started;
  return serving;
}

/** A caller: a process of its own, as far as the fleet can tell. */
class Caller {
  readonly failures: unknown[] = [];
  readonly sent: string[] = [];
  #mesh: Mesh;
  #isOver = false;
  #count = 0;
  readonly #name: string;
  readonly #loops: readonly Promise<void>[];

  constructor(name: string, mesh: Mesh) {
    this.#name = name;
    this.#mesh = mesh;
    this.#loops = [this.#loop(), this.#loop()];
  }

  get answered(): number {
    return this.#count;
  }

  /** Is restarted with other options. */
  async restart(mesh: Mesh): Promise<void> {
    const former = this.#mesh;
    this.#mesh = mesh;
    await former.close();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
    await this.#mesh.close();
  }

  async #loop(): Promise<void> {
    for (let call = 0; !this.#isOver; call++) {
      const isPost = call % 2 === 0;
      const body = `${this.#name}-${this.sent.length}`;
      if (isPost) this.sent.push(body);
      try {
        const response = await this.#mesh.fetch("orders/", isPost ? { method: "POST", body } : {});
        const text = await response.text();
        if (response.status !== 200 || (isPost && text !== body)) this.failures.push(`${response.status} ${text}`);
      } catch (error) {
        this.failures.push(error);
      }
      this.#count++;
      await pause(2);
    }
  }
}

describe.each([
  ["HTTP/1.1", "h1", () => createServer()],
  ["HTTP/2", "h2", () => createHttp2Server()],
] as const)("a fleet that speaks %s", (_name, protocol, make) => {
  test("moves from clear text to strict mTLS process by process under load, with no failed request and none executed twice", {
    timeout: 120_000,
  }, async () => {
    const registry = memoryRegistry();
    const seen: Seen = { bodies: [], encrypted: 0, clear: 0 };
    const clearAttempts: string[] = [];
    const observer: Observer = {
      onAttempt: (_request, { endpoint }) => {
        if (endpoint.secure !== true) clearAttempts.push(endpoint.id);
        return undefined;
      },
    };
    const mesh = async (step: "plain" | "identity" | "strict"): Promise<Mesh> =>
      createMesh({
        discovery: registry,
        protocol,
        // A retry would hide what the move breaks.
        retry: false,
        timeoutMs: 30_000,
        observers: [observer],
        // The id to expect counts as soon as an instance speaks TLS: an instance has no name that its address would be.
        ...(step === "plain"
          ? {}
          : { identity: await identity(web), peer: { mode: step === "strict" ? "strict" : "permissive", id: orders } }),
      });
    let fleet: readonly Serving[] = [];
    for (let index = 0; index < 3; index++) fleet = [...fleet, await instance(registry, make as never, {}, seen)];
    const callers = await Promise.all(["a", "b"].map(async (name) => new Caller(name, await mesh("plain"))));
    onTestFinished(async () => void (await Promise.all(callers.map((caller) => caller.end()))));
    const more = async (): Promise<void> => {
      const before = callers.map(({ answered }) => answered);
      while (callers.some((caller, index) => caller.answered < (before[index] as number) + 20)) await pause(5);
    };
    const restartServers = async (step: Step): Promise<void> => {
      for (const [index, former] of fleet.entries()) {
        const next = await instance(registry, make as never, step, seen);
        await former.stop();
        fleet = fleet.with(index, next);
        await more();
      }
    };
    const restartCallers = async (step: "identity" | "strict"): Promise<void> => {
      for (const caller of callers) {
        await caller.restart(await mesh(step));
        await more();
      }
    };
    const failures = (): readonly unknown[] => callers.flatMap((caller) => caller.failures);
    await more();

    // 1. Servers take both, and the registry says nothing new: callers know no TLS yet.
    await restartServers({ mode: "permissive" });
    expect(failures()).toEqual([]);
    expect(seen.encrypted).toBe(0);
    // 2. Callers have an identity and know the one to expect, and nothing speaks TLS to them yet.
    await restartCallers("identity");
    expect(failures()).toEqual([]);
    // 3. Instances say that they speak TLS: callers follow one instance after the other.
    await restartServers({ mode: "permissive", secure: true });
    expect(failures()).toEqual([]);
    clearAttempts.length = 0;
    seen.clear = 0;
    await more();
    expect({ clearAttempts, clear: seen.clear }).toEqual({ clearAttempts: [], clear: 0 });
    // 4. Callers demand it, whatever the registry says, and the identity.
    await restartCallers("strict");
    // 5. Servers take nothing else.
    await restartServers({ mode: "strict", secure: true });
    await more();
    await Promise.all(callers.map((caller) => caller.end()));

    expect(failures()).toEqual([]);
    expect({ clearAttempts, clear: seen.clear }).toEqual({ clearAttempts: [], clear: 0 });
    expect(seen.bodies.toSorted()).toEqual(callers.flatMap(({ sent }) => sent).toSorted());
    expect(seen.encrypted).toBeGreaterThan(100);
  });
});
