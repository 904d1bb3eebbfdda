import type { Clock } from "../../../core/clock.ts";
import { field } from "../entries/json.ts";
import type { ConsulClient } from "../http/client.ts";
import { ConsulError } from "../http/consul-error.ts";
import { rawPut } from "../http/raw-call.ts";

const timeoutMs = 2_000;
/** Time after which Consul ends a session that is not renewed: 10 s is its least, and it may take twice as long. */
const ttl = "15s";
/** Time after which a use of the session renews it, in milliseconds. */
const renewAfterMs = 5_000;

/** The session of this process at Consul, which holds keys: they are deleted when it ends, by itself or since nothing has renewed it. */
export class KeySession {
  readonly #client: ConsulClient;
  readonly #clock: Clock;
  #id: string | undefined = undefined;
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(client: ConsulClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Calls `write` with the session, and once more with a new one where Consul has ended it or holds the key by an earlier one. */
  async hold(write: (session: string) => Promise<boolean>, signal: AbortSignal): Promise<boolean> {
    const known = await this.#current(signal);
    try {
      if (await write(known)) return true;
    } catch (error) {
      // `invalid session`
      if (!(error instanceof ConsulError) || error.status !== 500) throw error;
    }
    await this.end();
    return write(await this.#current(signal));
  }

  /** Ends the session, and with it the keys that it holds. Never rejects. */
  async end(): Promise<void> {
    const id = this.#id;
    this.#id = undefined;
    if (id === undefined) return;
    await this.#client.ask({ call: rawPut(`/session/destroy/${id}`, {}), timeoutMs, keepsProcess: false }).catch(() => {});
  }

  async #current(signal: AbortSignal): Promise<string> {
    if (this.#id !== undefined && this.#clock.now() - this.#renewedAt >= renewAfterMs) await this.#renew(this.#id, signal);
    this.#id ??= await this.#create(signal);
    return this.#id;
  }

  async #create(signal: AbortSignal): Promise<string> {
    // Without a delay: nothing is guarded by the lock, and a process that lost its session publishes again at once.
    const session = { Name: "inmesh canaries", TTL: ttl, Behavior: "delete", LockDelay: "0s" };
    const { body } = await this.#client.ask({ call: rawPut("/session/create", session), timeoutMs, signal, keepsProcess: false });
    const id = field(body, "ID");
    if (typeof id !== "string") throw new ConsulError("the answer to a new session has no ID");
    this.#renewedAt = this.#clock.now();
    return id;
  }

  async #renew(id: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#client.ask({ call: rawPut(`/session/renew/${id}`, {}), timeoutMs, signal, keepsProcess: false });
      this.#renewedAt = this.#clock.now();
    } catch (error) {
      // Consul knows it no more.
      if (!(error instanceof ConsulError) || error.status !== 404) throw error;
      this.#id = undefined;
    }
  }
}
