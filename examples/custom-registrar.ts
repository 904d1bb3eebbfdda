// A custom registrar: it keeps instances registered with a small HTTP registry that forgets them when they stop renewing.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Instance, type InstanceStatus, MeshError, type Registrar, type Registration } from "inmesh";
import { registrarContract } from "inmesh/testing";

interface HttpRegistrarOptions {
  readonly url: string;
  /** The registry removes an instance that has not renewed for this time, in milliseconds. */
  readonly ttlMs: number;
}

function httpRegistrar(options: HttpRegistrarOptions): Registrar {
  return {
    async register(instance, signal) {
      const { service, port } = instance;
      if (service === "") throw new TypeError("register: service must not be empty");
      if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RangeError(`register: port must be 1 to 65535, not ${port}`);
      const registration = new HttpRegistration(instance, options);
      await registration.begin(signal);
      return registration;
    },
  };
}

class HttpRegistration implements Registration {
  readonly id: string;
  readonly #instance: Instance;
  readonly #options: HttpRegistrarOptions;
  #status: InstanceStatus = "up";
  #timer: NodeJS.Timeout | undefined;
  /** Requests are sent one after the other, so that a renewal never arrives after the removal. */
  #last: Promise<void> = Promise.resolve();
  #end: Promise<void> | undefined;

  constructor(instance: Instance, options: HttpRegistrarOptions) {
    this.#instance = instance;
    this.#options = options;
    this.id = instance.id ?? `${instance.service}-${instance.host ?? "127.0.0.1"}-${instance.port}`;
  }

  get status(): InstanceStatus {
    return this.#status;
  }

  async begin(signal?: AbortSignal): Promise<void> {
    await this.#announce(signal);
    this.#renewLater();
  }

  /** Three times per TTL, with jitter so that many instances do not renew together. The timer keeps no process alive. */
  #renewLater(): void {
    const delayMs = (this.#options.ttlMs / 3) * (0.9 + 0.1 * Math.random());
    this.#timer = setTimeout(async () => {
      await this.#announce().catch(reportRenewal);
      if (this.#end === undefined) this.#renewLater();
    }, delayMs).unref();
  }

  async setStatus(status: InstanceStatus): Promise<void> {
    if (this.#end !== undefined) throw new MeshError("ERR_MESH_REGISTRATION", `${this.id} has been deregistered`);
    this.#status = status;
    await this.#announce();
  }

  deregister(signal?: AbortSignal): Promise<void> {
    clearTimeout(this.#timer);
    this.#end ??= this.#send("DELETE", signal);
    return this.#end;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.deregister();
  }

  /** Says everything each time: a registry that has lost its data learns the instance and its status again. */
  #announce(signal?: AbortSignal): Promise<void> {
    const { host = "127.0.0.1", port } = this.#instance;
    return this.#send("PUT", signal, JSON.stringify({ host, port, status: this.#status, ttlMs: this.#options.ttlMs }));
  }

  #send(method: string, signal: AbortSignal | undefined, body?: string): Promise<void> {
    const { service } = this.#instance;
    const sent = this.#last.then(async () => {
      signal?.throwIfAborted();
      const url = `${this.#options.url}/${encodeURIComponent(service)}/${encodeURIComponent(this.id)}`;
      const limit = AbortSignal.timeout(5_000);
      const init = {
        method,
        signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
        ...(body === undefined ? {} : { body }),
      };
      try {
        const response = await fetch(url, init);
        await response.body?.cancel();
        if (!response.ok) throw new Error(`HTTP ${response.status}`);
      } catch (cause) {
        throw new MeshError("ERR_MESH_REGISTRATION", `${method} ${url}: ${(cause as Error).message}`, { service, cause });
      }
    });
    this.#last = sent.catch(() => undefined);
    return sent;
  }
}

/** A renewal that failed is no reason to end: the next one is due soon. */
function reportRenewal(error: unknown): void {
  console.warn(error);
}

// The rest of this file tries it, with a registry in memory.
interface Entry {
  readonly service: string;
  readonly host: string;
  readonly port: number;
  readonly status: InstanceStatus;
  readonly expiresAt: number;
}
const entries = new Map<string, Entry>();
const registry = createServer(async (request, response) => {
  const [, service = "", id = ""] = (request.url ?? "").split("/").map(decodeURIComponent);
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  if (request.method === "DELETE") entries.delete(id);
  else {
    const { ttlMs, ...entry } = JSON.parse(text) as Entry & { readonly ttlMs: number };
    entries.set(id, { ...entry, service, expiresAt: Date.now() + ttlMs });
  }
  response.end();
}).listen(0, "127.0.0.1");
await once(registry, "listening");
const url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`;
const listed = () => [...entries.values()].filter(({ status, expiresAt }) => status === "up" && expiresAt > Date.now());

// The suite that every registrar passes:
const contract = registrarContract(async () => ({
  registrar: httpRegistrar({ url, ttlMs: 300 }),
  instance: { service: "orders", host: "127.0.0.1", port: 8080 },
  listed: async () => listed(),
  forget: async () => entries.clear(),
  close: async () => entries.clear(),
}));
for (const { name, run } of contract) {
  await run();
  console.log(`holds: ${name}`);
}

{
  // Leaving the block deregisters.
  await using registration = await httpRegistrar({ url, ttlMs: 15_000 }).register({ service: "orders", port: 8080 });
  console.log(`${registration.id} is ${registration.status}, ${listed().length} listed`);
}
console.log(`${listed().length} listed`);
registry.close();
registry.closeAllConnections();
