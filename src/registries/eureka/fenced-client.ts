import type { RestAnswer, RestRequest } from "./exchange.ts";
import type { PackageCallback, PackageClass, PackageClient, PackageRequest } from "./package.ts";

/** Makes one REST call; never called twice for one call of the package. */
export type Send = (request: RestRequest, signal?: AbortSignal) => Promise<RestAnswer>;

/** The instance a client registers. */
export interface ClientInstance {
  /** Upper case. */
  readonly app: string;
  readonly instanceId: string;
  /** The `instance` object of the registration as it is now. */
  describe(): Readonly<Record<string, unknown>>;
  /** The query of a heartbeat as it is now, with its `?`. */
  renewQuery(): string;
}

/** The REST calls of `eureka-js-client`, each as one promise of the server's answer. */
export interface FencedClient {
  fetchRegistry(signal?: AbortSignal): Promise<RestAnswer>;
  register(signal?: AbortSignal): Promise<RestAnswer>;
  renew(signal?: AbortSignal): Promise<RestAnswer>;
  deregister(signal?: AbortSignal): Promise<RestAnswer>;
}

// No file has a name with a NUL in it, on any system: the package finds no eureka-client.yml to merge silently.
const nowhere = "\0";
const silent = { error() {}, warn() {}, info() {}, debug() {} };
// The package never gets to read the registry: its transformRegistry throws, for good, at one entry without an app or
// with the VIP address `constructor`, merges two instances of one host and port, and takes quadratic time. It would go
// for a whole registry if one tenant wrote such an entry. An answer without applications makes it do nothing.
const nothingToRead = '{"applications":{}}';

/**
 * `eureka-js-client` with a fence around it. It says which call to make; `send` makes the call, with our time limits,
 * and what was answered comes back here. Its `request` dependency opens no socket, its timers are never started, its
 * cache stays empty, it reads no file and asks no cloud metadata service.
 */
export function fencedClient(Package: PackageClass, send: Send, instance?: ClientInstance): FencedClient {
  class Client extends Package {
    #signal: AbortSignal | undefined = undefined;
    #answer: Promise<RestAnswer> | undefined = undefined;

    /** Every call of the package comes by here, synchronously within `start`. */
    drive(start: (client: PackageClient) => void, signal: AbortSignal | undefined): Promise<RestAnswer> {
      this.#signal = signal;
      this.#answer = undefined;
      start(this);
      return this.#answer ?? Promise.reject(new Error("eureka-js-client made no call"));
    }

    override eurekaRequest(request: PackageRequest, callback: PackageCallback): void {
      const answer = send(restRequest(request, instance), this.#signal);
      this.#answer = answer;
      // Its callback clears a timer of its own and tells nobody else, so what it throws has no reader.
      answer
        .then(
          ({ status }) => callback(null, { statusCode: status }, nothingToRead),
          (error: unknown) => callback(error),
        )
        .catch(() => {});
    }

    override register(callback?: (error?: unknown) => void): void {
      // Without a callback it is renew() that calls, because the lease is gone. It would come back as UP whatever the
      // status was; the registration does it itself.
      if (callback !== undefined) super.register(callback);
    }
  }

  const client = new Client({
    cwd: nowhere,
    filename: nowhere,
    logger: silent,
    shouldUseDelta: false,
    requestMiddleware: (request: unknown, done: (request: unknown) => void) => done(request),
    eureka: { host: "unused.invalid", port: 1, fetchMetadata: false, registerWithEureka: false, maxRetries: 0, useDns: false },
    instance: instance === undefined ? {} : { app: instance.app, instanceId: instance.instanceId },
  });
  const ignore = () => {};
  return {
    fetchRegistry: (signal) => client.drive((it) => it.fetchRegistry(ignore), signal),
    register: (signal) => client.drive((it) => it.register(ignore), signal),
    renew: (signal) => client.drive((it) => it.renew(), signal),
    deregister: (signal) => client.drive((it) => it.deregister(ignore), signal),
  };
}

function restRequest(request: PackageRequest, instance: ClientInstance | undefined): RestRequest {
  const { method = "GET", uri } = request;
  const path = uri.split("/").map(encodeURIComponent).join("/");
  if (instance !== undefined && method === "PUT") return { method, path: `${path}${instance.renewQuery()}` };
  // The package's own body says UP; ours says what is true.
  if (instance !== undefined && method === "POST") return { method, path, body: JSON.stringify({ instance: instance.describe() }) };
  return { method, path };
}
