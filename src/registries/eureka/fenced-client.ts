import type { PackageCallback, PackageClass, PackageClient, PackageRequest } from "./package.ts";
import type { RestAnswer, RestRequest } from "./rest-call.ts";

/** Makes one REST call. Called once for each call of the package. */
export type Send = (request: RestRequest, signal?: AbortSignal) => Promise<RestAnswer>;

/** The instance a client registers. */
export interface ClientInstance {
  /** In upper case. */
  readonly app: string;
  readonly instanceId: string;
  /** The current `instance` object of the registration. */
  describe(): Readonly<Record<string, unknown>>;
  /** The current query of a heartbeat, with its `?`. */
  renewQuery(): string;
}

/** The circumstances of one call: the signal that ends it, and whether a caller waits for it, so that it may keep the process alive. */
export interface FencedCall {
  readonly signal?: AbortSignal | undefined;
  readonly awaited: boolean;
}

/** The REST calls of `eureka-js-client`, each as one promise of the server's answer. */
export interface FencedClient {
  fetchRegistry(call: FencedCall): Promise<RestAnswer>;
  register(call: FencedCall): Promise<RestAnswer>;
  renew(call: FencedCall): Promise<RestAnswer>;
  deregister(call: FencedCall): Promise<RestAnswer>;
}

// No file has a NUL in its name on any system, so the package finds no eureka-client.yml to merge.
const nowhere = "\0";
const silent = { error() {}, warn() {}, info() {}, debug() {} };
// The package is never given the registry to read: its transformRegistry throws on an entry without an app or with the VIP address
// `constructor`, merges two instances of one host and port, and takes quadratic time, so that one tenant's entry would break the whole
// registry. An answer without applications makes it do nothing.
const nothingToRead = '{"applications":{}}';

/**
 * `eureka-js-client` with a fence around it. The package chooses the call; `send` makes it, with our time limits, and its answer is returned
 * here. The package's `request` dependency opens no socket, its timers are never started, its cache stays empty, it reads no file and
 * requests no cloud metadata.
 */
export function fencedClient(Package: PackageClass, send: Send, instance?: ClientInstance): FencedClient {
  class Client extends Package {
    #call: FencedCall = { awaited: true };
    #answer: Promise<RestAnswer> | undefined = undefined;

    /** Resolves with the answer to the call that `start` makes, synchronously, through `eurekaRequest`. */
    drive(start: (client: PackageClient) => void, call: FencedCall): Promise<RestAnswer> {
      this.#call = call;
      this.#answer = undefined;
      start(this);
      return this.#answer ?? Promise.reject(new Error("eureka-js-client made no call"));
    }

    override eurekaRequest(request: PackageRequest, callback: PackageCallback): void {
      const { awaited, signal } = this.#call;
      const answer = send({ ...restRequest(request, instance), keepsProcess: awaited }, signal);
      this.#answer = answer;
      // The callback clears a timer of the package and has no other effect, so its errors are dropped.
      answer
        .then(
          ({ status }) => callback(null, { statusCode: status }, nothingToRead),
          (error: unknown) => callback(error),
        )
        .catch(() => {});
    }

    override register(callback?: (error?: unknown) => void): void {
      // Without a callback, renew() calls it because the lease is gone, and it would register as UP whatever the status was. The keeper
      // of the registration announces the instance instead.
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
    fetchRegistry: (call) => client.drive((it) => it.fetchRegistry(ignore), call),
    register: (call) => client.drive((it) => it.register(ignore), call),
    renew: (call) => client.drive((it) => it.renew(), call),
    deregister: (call) => client.drive((it) => it.deregister(ignore), call),
  };
}

function restRequest(request: PackageRequest, instance: ClientInstance | undefined): RestRequest {
  const { method = "GET", uri } = request;
  const path = uri.split("/").map(encodeURIComponent).join("/");
  if (instance !== undefined && method === "PUT") return { method, path: `${path}${instance.renewQuery()}` };
  // The package's own body says UP; ours has the current status.
  if (instance !== undefined && method === "POST") return { method, path, body: JSON.stringify({ instance: instance.describe() }) };
  return { method, path };
}
