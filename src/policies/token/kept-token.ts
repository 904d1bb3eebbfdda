import type { Cancellation } from "../../core/cancellation.ts";
import type { Clock } from "../../core/clock.ts";
import { MeshError } from "../../core/errors.ts";
import { TokenKeeper } from "./token-keeper.ts";
import { type ServiceTokenOptions, serviceTokenOptions } from "./token-options.ts";

/** The token of one service, for its calls and for what passes by the layers of calls: requests of agents, and upgrades. */
export class KeptToken {
  /** Whether the token goes over connections without TLS, too. */
  readonly allowPlain: boolean;
  readonly #service: string;
  readonly #keeper: TokenKeeper;

  /** The one that the options ask for; `undefined` where they name none. */
  static of(given: ServiceTokenOptions | false | undefined, service: string, clock: Clock): KeptToken | undefined {
    if (given === undefined || given === false) return undefined;
    const { audience = service, provider, allowPlain, timeoutMs } = serviceTokenOptions.settle(given);
    return provider === undefined
      ? undefined
      : new KeptToken(service, allowPlain, new TokenKeeper({ audience, provider, timeoutMs, clock }));
  }

  constructor(service: string, allowPlain: boolean, keeper: TokenKeeper) {
    this.#service = service;
    this.allowPlain = allowPlain;
    this.#keeper = keeper;
  }

  /** The value of `authorization`, at once where a token holds. Rejects with `ERR_MESH_TOKEN`, or where the call is given up. */
  header(cancellation: Cancellation): string | Promise<string> {
    const token = this.#keeper.token();
    return typeof token === "string" ? `Bearer ${token}` : this.#unlessCancelled(token, cancellation);
  }

  close(): void {
    this.#keeper.close();
  }

  #unlessCancelled(token: Promise<string>, cancellation: Cancellation): Promise<string> {
    return new Promise((resolve, reject) => {
      if (cancellation.cancelled) {
        reject(cancellation.reason);
        token.catch(() => {});
        return;
      }
      cancellation.onCancel(reject);
      const done = (): void => cancellation.removeListener(reject);
      token.then(
        (late) => {
          done();
          resolve(`Bearer ${late}`);
        },
        () => {
          done();
          // Without the cause: what a provider says may have the secret that it asks with.
          const message = `there is no token for "${this.#service}": its provider failed, or returned none that holds (token.provider)`;
          reject(new MeshError("ERR_MESH_TOKEN", message, { service: this.#service, maybeExecuted: false }));
        },
      );
    });
  }
}
