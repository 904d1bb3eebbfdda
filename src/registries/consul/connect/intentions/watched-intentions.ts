import { pathOfTarget, pathProblem } from "../../../../authorization/conditions/strict-path.ts";
import type { AuthorizationRequest } from "../../../../authorization/request.ts";
import type { Caller } from "../../../../core/caller.ts";
import { CompiledIntentions, type IntentionDecision } from "./compiled-intentions.ts";
import type { IntentionFeed } from "./intention-feed.ts";

/** The paths that are judged: `strict` refuses those that readers understand differently, `as-envoy` takes each as it is, as a sidecar of Consul does. */
export type PathPolicy = "strict" | "as-envoy";

/** Options of `consul().intentions()`. */
export interface IntentionOptions {
  /** The paths that are judged; the others are refused with 400 before any intention is looked at. Default `strict`. */
  readonly pathPolicy?: PathPolicy;
  /** Called with the error when the intentions could not be had; the last ones stay in force. */
  readonly onError?: (error: Error) => void;
}

/** A request as `node:http` and `node:http2` have it. */
export interface IntentionRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly rawHeaders: readonly string[];
}

/** The answer to a request: 200 lets it pass. */
export interface IntentionVerdict {
  readonly status: 200 | 400 | 403;
  /** The intention that has decided, with the number of its permission: `batch → orders #2`; `undefined` for the default and for a refused path. */
  readonly ruleId: string | undefined;
  /** Says why, without anything that the caller could use. */
  readonly reason: string;
}

/** The intentions of Consul about one service, kept up to date. Until they are known for the first time, every request is denied. */
export interface Intentions extends Disposable {
  /** Resolves when they are known for the first time; never rejects, and never resolves where they never are. */
  readonly ready: Promise<void>;
  /** Judges a request of a caller that this process has verified. Never throws. */
  judge(request: IntentionRequest, caller: Caller): IntentionVerdict;
  /** Decides without looking at how the path is written. */
  decide(request: AuthorizationRequest, caller: Caller): IntentionDecision;
  /** Ends the queries. The last intentions stay in force. */
  close(): void;
}

/** Intentions of a feed, as a server asks for them. */
export class WatchedIntentions implements Intentions {
  readonly ready: Promise<void>;
  readonly #isStrict: boolean;
  readonly #closing = new AbortController();
  #current: CompiledIntentions | undefined = undefined;

  constructor(feed: IntentionFeed, { pathPolicy = "strict", onError }: IntentionOptions) {
    this.#isStrict = pathPolicy === "strict";
    const known = Promise.withResolvers<void>();
    this.ready = known.promise;
    feed.follow(
      (set) => {
        this.#current = new CompiledIntentions(set);
        known.resolve();
      },
      (error) => tell(onError, error),
      this.#closing.signal,
    );
  }

  judge(request: IntentionRequest, caller: Caller): IntentionVerdict {
    const { method = "GET", url = "/", rawHeaders } = request;
    const path = pathOfTarget(url);
    if (path === undefined) return { status: 400, ruleId: undefined, reason: "the target is no path" };
    const problem = this.#isStrict ? pathProblem(path) : undefined;
    if (problem !== undefined) return { status: 400, ruleId: undefined, reason: problem };
    const headerValues = (name: string): readonly string[] => valuesOf(rawHeaders, name);
    const { allowed, ruleId } = this.decide({ method, path, headerValues }, caller);
    if (allowed) return { status: 200, ruleId, reason: "allowed" };
    return { status: 403, ruleId, reason: this.#current === undefined ? "the intentions are not known yet" : "denied" };
  }

  decide(request: AuthorizationRequest, caller: Caller): IntentionDecision {
    return this.#current?.decide(request, caller) ?? { allowed: false, ruleId: undefined };
  }

  close(): void {
    this.#closing.abort();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function valuesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  const values: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const given = (rawHeaders[index] as string).toLowerCase();
    if (given === name || (name === "host" && given === ":authority")) values.push(rawHeaders[index + 1] as string);
  }
  return values;
}

function tell(onError: IntentionOptions["onError"], error: Error): void {
  try {
    onError?.(error);
  } catch {
    // It is the user's, and nothing depends on it.
  }
}
