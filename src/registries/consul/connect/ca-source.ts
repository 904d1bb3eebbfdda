import { checkText } from "../../../core/settings/checks.ts";
import type { IdentityListener, IdentitySource, IdentityWatch } from "../../../identity/identity-source.ts";
import { askUntilAborted } from "../blocking-loop.ts";
import { ConsulClient } from "../http/client.ts";
import { ConsulError } from "../http/consul-error.ts";
import type { ConsulSettings } from "../options.ts";
import { askLeaf, askRoots } from "./agent-endpoints.ts";
import { type Leaf, leafOf, type Roots, rootsOf } from "./answers.ts";

/** The agent renews a certificate at 60 to 90 % of its lifetime. Where less than this part is left and no other has come, it is asked without a wait. */
const overdueShare = 0.1;

/** The identity of `service` in a Consul Connect mesh: its certificate and the authorities, each by a blocking query of the agent. */
export function connectIdentity(settings: ConsulSettings, service: string): IdentitySource {
  checkText("consul: identity", service);
  return { name: "consul", watch: (listener) => new ConnectWatch(settings, service, listener) };
}

class ConnectWatch implements IdentityWatch {
  readonly #settings: ConsulSettings;
  readonly #service: string;
  readonly #listener: IdentityListener;
  readonly #client: ConsulClient;
  readonly #closing = new AbortController();
  #roots: Roots | undefined = undefined;
  #leaf: Leaf | undefined = undefined;

  constructor(settings: ConsulSettings, service: string, listener: IdentityListener) {
    this.#settings = settings;
    this.#service = service;
    this.#listener = listener;
    this.#client = new ConsulClient(settings);
    const { signal } = this.#closing;
    // In a turn of its own: nothing is told before `watch` has returned.
    queueMicrotask(() => {
      void askUntilAborted(this.#client, settings, { call: askRoots, onAnswer: this.#onRoots, onError: this.#onError }, signal);
      void askUntilAborted(this.#client, settings, { call: askLeaf(service), onAnswer: this.#onLeaf, onError: this.#onError }, signal);
    });
  }

  close(): void {
    this.#closing.abort();
    this.#client.closeIdle();
  }

  readonly #onRoots = (body: unknown): boolean => {
    const roots = rootsOf(body);
    const isSame = this.#roots?.trustDomain === roots.trustDomain && String(this.#roots.authorities) === String(roots.authorities);
    this.#roots = roots;
    if (!isSame) this.#tell();
    return true;
  };

  readonly #onLeaf = (body: unknown): boolean => {
    const leaf = leafOf(body);
    const isSame = this.#leaf?.certificate === leaf.certificate && this.#leaf.key === leaf.key;
    this.#leaf = leaf;
    if (!isSame) this.#tell();
    const leftMs = leaf.validUntilMs - this.#settings.clock.wallNow();
    return leftMs > overdueShare * (leaf.validUntilMs - leaf.validFromMs);
  };

  readonly #onError = (error: ConsulError): void => {
    const told = this.#described(error);
    // The agent has no such endpoint: there is no authority any more that answers for this identity.
    if (error.status === 404) this.#withdraw(told);
    else this.#listener.fail(told);
  };

  #withdraw(reason: Error): void {
    this.#leaf = undefined;
    this.#listener.withdraw(reason);
  }

  #tell(): void {
    const roots = this.#roots;
    const leaf = this.#leaf;
    if (roots === undefined || leaf === undefined) return;
    if (leaf.id.trustDomain !== roots.trustDomain)
      throw new ConsulError(`the certificate is of the trust domain ${leaf.id.trustDomain}, the authorities are of ${roots.trustDomain}`);
    const bundles = new Map([[roots.trustDomain, roots.authorities]]);
    this.#listener.update({ certificate: leaf.certificate, key: leaf.key, trust: { authorities: [], bundles } });
  }

  #described(error: ConsulError): Error {
    const { name } = this.#settings;
    const hint =
      error.status === 403
        ? ` (the token needs service:write for "${this.#service}")`
        : error.status === 404
          ? " (the agent has no authority of Consul Connect)"
          : "";
    return new Error(`${name}: the identity of ${this.#service}: ${error.message}${hint}`, { cause: error });
  }
}
