import { askUntilAborted } from "../../blocking-loop.ts";
import { field, text } from "../../entries/json.ts";
import { ConsulClient } from "../../http/client.ts";
import { ConsulError } from "../../http/consul-error.ts";
import { rawGet } from "../../http/raw-call.ts";
import type { ConsulSettings } from "../../options.ts";
import { askAuthorize, askRoots } from "../agent-endpoints.ts";
import { rootsOf } from "../answers.ts";
import type { IntentionSet } from "./compiled-intentions.ts";
import type { Intention, IntentionAction } from "./intention.ts";
import { intentionsOf } from "./read-intentions.ts";

const httpProtocols: ReadonlySet<unknown> = new Set(["http", "http2", "grpc"]);

/** All that decides about callers of one service, by blocking queries: intentions, protocol and trust domain; with each of their answers the rest. */
export class IntentionFeed {
  readonly #settings: ConsulSettings;
  readonly #service: string;
  readonly #client: ConsulClient;
  #trustDomain: string | undefined = undefined;
  #isHttp: boolean | undefined = undefined;
  #answer: unknown = undefined;

  constructor(settings: ConsulSettings, service: string) {
    this.#settings = settings;
    this.#service = service;
    this.#client = new ConsulClient(settings);
  }

  /** Calls `onSet` after every answer once all is known, until `signal` aborts. What `onSet` throws is an error of the feed. */
  follow(onSet: (set: IntentionSet) => void, onError: (error: Error) => void, signal: AbortSignal): void {
    const name = encodeURIComponent(this.#service);
    const fail = (what: string) => (error: ConsulError) =>
      onError(
        new Error(`${this.#settings.name}: ${what} of ${this.#service}: ${error.message}${hintOf(error, this.#service)}`, { cause: error }),
      );
    const loop = (call: Parameters<typeof askUntilAborted>[2]["call"], what: string, take: (body: unknown) => void, query = {}): void => {
      const onAnswer = async (body: unknown): Promise<boolean> => {
        take(body);
        const set = await this.#read(signal);
        if (set !== undefined && !signal.aborted) onSet(set);
        return true;
      };
      void askUntilAborted(this.#client, this.#settings, { call, query, onAnswer, onError: fail(what) }, signal);
    };
    loop(askRoots, "the trust domain", (body) => {
      this.#trustDomain = rootsOf(body).trustDomain;
    });
    loop(rawGet(`/discovery-chain/${name}`), "the protocol", (body) => {
      this.#isHttp = httpProtocols.has(field(field(body, "Chain"), "Protocol"));
    });
    const match = { by: "destination", name: this.#service };
    const takeIntentions = (body: unknown): void => {
      intentionsOf(body, this.#service);
      this.#answer = body;
    };
    loop(rawGet("/connect/intentions/match"), "the intentions", takeIntentions, match);
    signal.addEventListener("abort", () => this.#client.closeIdle(), { once: true });
  }

  async #read(signal: AbortSignal): Promise<IntentionSet | undefined> {
    const [trustDomain, isHttp] = [this.#trustDomain, this.#isHttp];
    if (trustDomain === undefined || isHttp === undefined || this.#answer === undefined) return undefined;
    const intentions = intentionsOf(this.#answer, this.#service);
    const byDefault = await this.#askDefault(trustDomain, signal);
    return { trustDomain, isHttp, intentions, byDefault, issuers: await this.#askIssuers(intentions, signal) };
  }

  /**
   * The default is in no answer about intentions. The agent says how it would decide on a caller that no intention is about: one of a namespace that does not
   * exist, so that `*` does not mean it either.
   */
  async #askDefault(trustDomain: string, signal: AbortSignal): Promise<IntentionAction> {
    const caller = `spiffe://${trustDomain}/ns/no-such-namespace/dc/none/svc/no-such-service`;
    const { body } = await this.#ask(askAuthorize(this.#service, caller), signal);
    if ((text(field(body, "Reason")) ?? "").startsWith("Matched"))
      throw new ConsulError(
        "the agent takes a caller that does not exist for one that an intention is about, so that it does not tell the default",
      );
    return field(body, "Authorized") === true ? "allow" : "deny";
  }

  async #askIssuers(intentions: readonly Intention[], signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const requirements = intentions.flatMap(({ tokens, permissions }) => [...tokens, ...permissions.flatMap((each) => each.tokens)]);
    const issuers = new Map<string, string>();
    for (const provider of new Set(requirements.map((each) => each.provider))) {
      const { body } = await this.#ask(rawGet(`/config/jwt-provider/${encodeURIComponent(provider)}`), signal);
      const issuer = text(field(body, "Issuer"));
      if (issuer === undefined) throw new ConsulError(`the jwt-provider ${provider} has no issuer`);
      issuers.set(provider, issuer);
    }
    return issuers;
  }

  #ask(call: Parameters<typeof askUntilAborted>[2]["call"], signal: AbortSignal) {
    return this.#client.ask({ call, timeoutMs: this.#settings.requestTimeoutMs, keepsProcess: false, signal });
  }
}

function hintOf({ status }: ConsulError, service: string): string {
  return status === 403 ? ` (the token needs service:write and intentions:read for "${service}")` : "";
}
