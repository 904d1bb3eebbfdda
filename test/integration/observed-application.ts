import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Discovery, Observer } from "../../src/extend.ts";
import { createMesh, type Endpoint, type Mesh } from "../../src/index.ts";
import type { Route } from "../../src/routing/route.ts";
import { certificate } from "../support/certificate.ts";
import { ObservedSecuredServer } from "./observed-secured-server.ts";
import { observedServer } from "./observed-server.ts";

const host = "127.0.0.1";

const rpcPath = "/shop.v1.Stock/Get";

/** An HTTP server that can die and come back on its port. */
export class Instance {
  readonly #answer: RequestListener;
  #server: Server | undefined = undefined;
  #port = 0;

  constructor(answer: RequestListener) {
    this.#answer = answer;
  }

  get port(): number {
    return this.#port;
  }

  async start(): Promise<this> {
    this.#server = createServer(this.#answer);
    await once(this.#server.listen(this.#port, host), "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Two services: `stock`, which can be killed, and `orders`, in which everything happens that there is a metric for. */
export class Services {
  readonly stock: readonly Instance[] = [1, 2].map(
    () =>
      new Instance(({ url }, response) => {
        if (url === rpcPath) response.writeHead(200, { "content-type": "application/grpc", "grpc-status": "0" }).end();
        else response.end("[]");
      }),
  );
  readonly #orders: readonly Instance[];

  constructor() {
    let count = 0;
    const good: RequestListener = ({ url }, response): void => {
      if (url === "/full") return void response.writeHead(503).end();
      count++;
      // Some are slow, so that they are hedged; one path always is, so that deadlines come.
      setTimeout(() => response.end("[]"), url === "/slow" ? 200 : count % 20 === 0 ? 60 : 1);
    };
    const bad: RequestListener = (_, response) => void response.writeHead(503).end();
    this.#orders = [good, good, good, bad].map((answer) => new Instance(answer));
  }

  async start(): Promise<this> {
    for (const instance of [...this.stock, ...this.#orders]) await instance.start();
    return this;
  }

  async kill(): Promise<void> {
    for (const instance of [...this.stock, ...this.#orders]) await instance.kill();
  }

  /** A registry that answers twice a second, always with an entry that is no endpoint, and fails now and then. */
  get discovery(): Discovery {
    const listed = (instances: readonly Instance[]): readonly Endpoint[] => {
      const endpoints = instances.map(({ port }, index) => ({ id: `${port}`, host, port, zone: index % 2 === 0 ? "a" : "b" }));
      return [...endpoints, { id: "broken", host: "no host", port: -1 }];
    };
    const lists = new Map([
      ["stock", this.stock],
      ["orders", this.#orders],
    ]);
    return {
      name: "test registry",
      async *watch(service, signal) {
        for (let round = 0; round < 4; round++) {
          yield listed(lists.get(service) ?? []);
          await pause(500, undefined, { signal });
        }
        throw new Error("the registry fails now and then");
      },
    };
  }
}

/** A split, a canary, a mirror that has room for few copies, and faults in calls that are marked. */
const routes: readonly Route[] = [
  {
    name: "split",
    match: { service: "orders", path: { exact: "/split" } },
    split: {
      targets: [
        { name: "old", weight: 3 },
        { name: "new", weight: 1 },
      ],
    },
    fault: { delay: { ms: 5, percent: 50 }, abort: { status: 503, percent: 50 } },
  },
  {
    name: "canary",
    match: { service: "orders", path: { exact: "/canary" } },
    split: { targets: [{ name: "old" }, { name: "new" }], canary: { steps: [50, 100], stepMs: 60_000, minCalls: 100 } },
  },
  { name: "shadow", match: { service: "orders", path: { exact: "/slow" } }, mirror: { service: "orders", maxInFlight: 1, timeoutMs: 300 } },
];

/** A process that calls both services all the time, and is an instance of a third one. */
export class Application implements AsyncDisposable {
  readonly #mesh: Mesh;
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #calls = new Set<Promise<unknown>>();
  readonly #server: Promise<AsyncDisposable>;
  #rounds = 0;
  /** Its server with an identity. */
  readonly secured: Promise<ObservedSecuredServer>;

  constructor(services: Services, observer: Observer) {
    this.#mesh = createMesh({
      discovery: services.discovery,
      observers: [observer],
      zone: "a",
      tls: certificate,
      routes,
      services: { orders: { hedge: { percentile: 0.8, maxExtraLoad: 0.2, minDelayMs: 5 }, concurrency: { maxInFlight: 64 } } },
    });
    this.#server = observedServer(this.#mesh);
    this.secured = ObservedSecuredServer.start(this.#mesh);
    const each = (ms: number, call: () => Promise<Response>): NodeJS.Timeout => setInterval(() => this.#call(call), ms);
    const { fetch } = this.#mesh;
    this.#timers = [
      each(20, () => fetch("stock/")),
      each(20, () => fetch("orders/")),
      each(200, () =>
        fetch(`stock${rpcPath}`, { method: "POST", headers: { "content-type": "application/grpc" }, body: new Uint8Array(5) }),
      ),
      // Not safe to repeat: its failures are not retried.
      each(300, () => fetch("orders/full", { method: "POST", body: "{}" })),
      each(150, () => fetch("orders/slow", { mesh: { timeoutMs: 50 } })),
      each(50, () => fetch("orders/split")),
      each(200, () => fetch("orders/split", { headers: { "x-mesh-fault": "1" } })),
      each(100, () => fetch("orders/canary")),
      setInterval(() => this.#operate(), 1_000),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#calls);
    await (await this.#server)[Symbol.asyncDispose]();
    await (await this.secured)[Symbol.asyncDispose]();
    await this.#mesh.close();
  }

  /** An operator takes the canary back and begins it anew, changes the configuration, and gets one wrong. */
  #operate(): void {
    const canary = this.#mesh.canary("canary");
    if (canary?.reading().state === "rolled-back") canary.resume();
    else canary?.rollBack();
    this.#rounds++;
    this.#mesh.reconfigure({ drainTimeoutMs: 5_000 + (this.#rounds % 2) });
    try {
      this.#mesh.reconfigure({ retry: { maxAttempts: 0 } });
    } catch {
      // It is refused, which is counted.
    }
  }

  #call(call: () => Promise<Response>): void {
    const done = call()
      .then((response) => response.text())
      .catch(() => undefined)
      .finally(() => this.#calls.delete(done));
    this.#calls.add(done);
  }
}
