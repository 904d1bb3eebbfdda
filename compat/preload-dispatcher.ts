// Loaded before a test file of the suite: replaces the clients and pools that the file imports by mesh.dispatcher().
import { appendFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as nodeTest from "node:test";
import type { DispatcherOptions } from "../src/bridges/dispatcher.ts";
import { createMesh } from "../src/mesh/mesh.ts";
import { meshOptionsOf, socketPathOf } from "./client-options.ts";
import { subjectVariable, suiteVariable, touchedVariable } from "./environment.ts";
import { LoopbackTargets } from "./loopback-targets.ts";

type Origin = string | URL | undefined;
interface Inner {
  dispatch(options: object, handler: object): boolean;
  close(...args: unknown[]): unknown;
  destroy(...args: unknown[]): unknown;
  readonly webSocketOptions: unknown;
  readonly closed: boolean;
  readonly destroyed: boolean;
}
type Make = new (origin?: Origin | { readonly origin?: Origin }, options?: object) => Inner;

const requireOfSuite = createRequire(join(process.env[suiteVariable] as string, "package.json"));
const undici = requireOfSuite("./index.js") as Record<string, unknown> & { Dispatcher: new () => object };
const isMesh = process.env[subjectVariable] === "dispatcher";

/** Lists the tests that send something through a dispatcher: all others of the suite are about something else. */
const seen = new Set<string>();
function note(): void {
  const getTestContext = (nodeTest as { getTestContext?: () => { fullName: string } | undefined }).getTestContext;
  const name = getTestContext?.()?.fullName ?? "";
  if (!seen.has(name)) appendFileSync(process.env[touchedVariable] as string, `${JSON.stringify(name)}\n`);
  seen.add(name);
}

function originOf(given: unknown): string | undefined {
  if (typeof given === "string") return given;
  if (given instanceof URL) return given.origin;
  if (typeof given === "object" && given !== null) {
    const { origin, protocol, hostname, host, port } = given as Record<string, string | undefined>;
    if (origin !== undefined) return String(origin);
    if (protocol !== undefined) return `${protocol}//${hostname ?? host}${port ? `:${port}` : ""}`;
  }
  return undefined;
}

/** The handler, for which a redirect leads to the origin that the suite knows instead of the service. */
function withOwnLocations(handler: object, targets: LoopbackTargets): object {
  if (typeof handler !== "object" || handler === null) return handler;
  return new Proxy(handler, {
    get(given, name) {
      const value: unknown = Reflect.get(given, name);
      if (name === "onHeaders" && typeof value === "function") {
        return (status: number, headers: Buffer[], ...rest: unknown[]) => {
          const isLocation = (index: number) => index % 2 === 1 && headers[index - 1]?.toString().toLowerCase() === "location";
          const told = headers.map((part, index) => (isLocation(index) ? Buffer.from(targets.unnamed(part.toString())) : part));
          return value.call(given, status, told, ...rest);
        };
      }
      if (name === "onResponseStart" && typeof value === "function") {
        return (controller: unknown, status: number, headers: Record<string, unknown>, ...rest: unknown[]) => {
          const { location } = headers;
          const told = typeof location === "string" ? { ...headers, location: targets.unnamed(location) } : headers;
          return value.call(given, controller, status, told, ...rest);
        };
      }
      return typeof value === "function" ? value.bind(given) : value;
    },
  });
}

/** A client, pool or agent of the suite over a mesh of its own, whose policies are off: the tests are of the contract, not of what policies add. */
function overMesh(Real: Make, isH2c: boolean): Make {
  class OverMesh extends undici.Dispatcher {
    readonly #targets: LoopbackTargets;
    readonly #inner: Inner;
    readonly #origin: string | undefined;

    constructor(origin?: Origin, options?: object) {
      super();
      // Its own checks of its options.
      void (new Real(origin, options).destroy() as Promise<void>).catch(() => {});
      this.#origin = originOf(origin);
      // An agent takes its options first.
      const given = options ?? (typeof origin === "string" || origin instanceof URL ? undefined : origin);
      this.#targets = new LoopbackTargets(socketPathOf(given));
      const mesh = createMesh({
        ...meshOptionsOf(isH2c ? { ...given, useH2c: true } : given),
        discovery: this.#targets.discovery,
        propagateDeadline: false,
        retry: false,
        breaker: false,
        timeoutMs: false,
        attemptTimeoutMs: false,
        bodyIdleTimeoutMs: false,
      });
      const { webSocket } = (given ?? {}) as DispatcherOptions;
      this.#inner = mesh.dispatcher(webSocket === undefined ? {} : { webSocket }) as unknown as Inner;
      // For the proxies that `compose` makes.
      this.close = this.close.bind(this);
      this.destroy = this.destroy.bind(this);
    }

    dispatch(options: unknown, handler: object): boolean {
      note();
      if (typeof options !== "object" || options === null) return this.#inner.dispatch(options as object, handler);
      // A client and a pool have one origin, whatever the options say.
      const origin = this.#origin ?? originOf((options as { readonly origin?: unknown }).origin);
      const target = origin === undefined ? undefined : this.#targets.named(origin);
      return this.#inner.dispatch({ ...options, origin: target }, withOwnLocations(handler, this.#targets));
    }

    close(...args: unknown[]): unknown {
      return this.#inner.close(...args);
    }

    destroy(...args: unknown[]): unknown {
      return this.#inner.destroy(...args);
    }

    get webSocketOptions(): unknown {
      return this.#inner.webSocketOptions;
    }

    get closed(): boolean {
      return this.#inner.closed;
    }

    get destroyed(): boolean {
      return this.#inner.destroyed;
    }
  }
  return OverMesh as unknown as Make;
}

/** The same of the suite itself, whose use is noted. */
function noting(Real: Make): Make {
  return class extends Real {
    override dispatch(options: object, handler: object): boolean {
      note();
      return super.dispatch(options, handler);
    }
  };
}

for (const name of ["Client", "Pool", "BalancedPool", "RoundRobinPool", "Agent", "H2CClient"])
  undici[name] = isMesh ? overMesh(undici[name] as Make, name === "H2CClient") : noting(undici[name] as Make);
(undici["setGlobalDispatcher"] as (dispatcher: object) => void)(new (undici["Agent"] as Make)());
