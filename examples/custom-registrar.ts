// A custom registrar: it keeps instances registered with a small HTTP registry that forgets them when they stop renewing.
import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { type Instance, type InstanceStatus, MeshError, type Registrar } from "inmesh";
import { type EntryAction, type EntryCall, keepRegistered, type Recognition, type RegistryEntry, systemClock } from "inmesh/extend";
import { registrarContract } from "inmesh/testing";

interface HttpRegistrarOptions {
  readonly url: string;
  /** The registry removes an instance that has not renewed for this time, in milliseconds. */
  readonly ttlMs: number;
}

function httpRegistrar(options: HttpRegistrarOptions): Registrar {
  return {
    name: `registry at ${options.url}`,
    // Callers of this registry ask it every two seconds.
    callersKnowAfterMs: 2_000,
    check: checkInstance,
    async register(instance, signal, owner) {
      checkInstance(instance);
      const keeping = {
        registerTimeoutMs: 10_000,
        initialStatus: instance.initialStatus,
        owner,
        onRenewalError: ({ message }: Error) => console.warn(message),
        clock: systemClock,
        random: Math.random,
      };
      return keepRegistered(new HttpEntry(instance, options), keeping, signal);
    },
  };
}

function checkInstance({ service, port }: Instance): void {
  if (service === "") throw new TypeError("register: service must not be empty");
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RangeError(`register: port must be 1 to 65535, not ${port}`);
}

/** The entry of one instance: four requests, each made once. When they are made, and made again, is the keeper's part. */
class HttpEntry implements RegistryEntry {
  readonly id: string;
  readonly renewMs: number;
  readonly #instance: Instance;
  readonly #options: HttpRegistrarOptions;

  constructor(instance: Instance, options: HttpRegistrarOptions) {
    this.id = instance.id ?? `${instance.service}-${instance.host ?? "127.0.0.1"}-${instance.port}`;
    // One renewal that is lost must not remove the instance.
    this.renewMs = options.ttlMs / 3;
    this.#instance = instance;
    this.#options = options;
  }

  async announce(status: InstanceStatus, call: EntryCall): Promise<void> {
    const { host = "127.0.0.1", port } = this.#instance;
    await this.#send("PUT", call, { host, port, status, ttlMs: this.#options.ttlMs });
  }

  async report(status: InstanceStatus, call: EntryCall): Promise<Recognition> {
    return (await this.#send("PATCH", call, { status })) === 404 ? "forgotten" : "known";
  }

  renew(status: InstanceStatus, call: EntryCall): Promise<Recognition> {
    return this.report(status, call);
  }

  async withdraw(call: EntryCall): Promise<void> {
    await this.#send("DELETE", call);
  }

  isRefusal(error: unknown): boolean {
    return error instanceof Refusal;
  }

  errorOf(action: EntryAction, cause: unknown): MeshError {
    const { service } = this.#instance;
    const message = `${this.#options.url}: cannot ${action} ${this.id}: ${(cause as Error).message}`;
    return new MeshError("ERR_MESH_REGISTRATION", message, { service, cause });
  }

  /** Resolves with the status of the response, 2xx or 404. */
  async #send(method: string, { awaited, signal }: EntryCall, body?: object): Promise<number> {
    const path = [this.#instance.service, this.id].map(encodeURIComponent).join("/");
    const limit = AbortSignal.timeout(5_000);
    const sent = request(`${this.#options.url}/${path}`, {
      method,
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    });
    // A renewal in the background keeps no process alive.
    if (!awaited) sent.once("socket", (socket) => socket.unref());
    sent.end(body && JSON.stringify(body));
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    response.resume();
    const { statusCode = 0 } = response;
    if (statusCode >= 400 && statusCode < 500 && statusCode !== 404) throw new Refusal(`HTTP ${statusCode}`);
    if (statusCode >= 500) throw new Error(`HTTP ${statusCode}`);
    return statusCode;
  }
}

/** The registry does not want the entry: the same request again would be refused again. */
class Refusal extends Error {}

// The rest of this file tries it, with a registry in memory.
interface Entry {
  readonly service: string;
  readonly host: string;
  readonly port: number;
  readonly status: InstanceStatus;
  readonly ttlMs: number;
  readonly expiresAt: number;
}
const entries = new Map<string, Entry>();
const registry = createServer(async (incoming, response) => {
  const [, service = "", id = ""] = (incoming.url ?? "").split("/").map(decodeURIComponent);
  let text = "";
  for await (const chunk of incoming.setEncoding("utf8")) text += chunk;
  const known = entries.get(id);
  if (incoming.method === "DELETE") entries.delete(id);
  else if (incoming.method === "PATCH" && known === undefined) response.statusCode = 404;
  else {
    const entry = { ...known, ...JSON.parse(text), service } as Entry;
    entries.set(id, { ...entry, expiresAt: Date.now() + entry.ttlMs });
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

const registration = await httpRegistrar({ url, ttlMs: 15_000 }).register({ service: "orders", port: 8080 });
console.log(`${registration.id} is ${registration.status}, ${listed().length} listed`);
await registration.deregister();
console.log(`${listed().length} listed`);
registry.close();
registry.closeAllConnections();
