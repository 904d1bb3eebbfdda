import { resolve } from "node:path";
import type { Decision } from "../../../authorization/compiled-policy.ts";
import { hostHeader } from "../../../authorization/conditions/host.ts";
import { pathOfTarget, pathProblem } from "../../../authorization/conditions/strict-path.ts";
import type { AuthorizationRequest } from "../../../authorization/request.ts";
import { LivePolicy } from "../../../authorization/sources/live-policy.ts";
import { policyFile, readPolicyFile } from "../../../authorization/sources/policy-file.ts";
import { checkPolicy, parsePolicy } from "../../../authorization/text/read-policy.ts";
import type { Clock } from "../../../core/clock.ts";
import { rawHeaderValues } from "../../../core/http/raw-headers.ts";
import { warnOfThrow } from "../../../core/observing/fence.ts";
import type { AuthorizationDecision, ServedAuthorization } from "../../../core/observing/served-request.ts";
import type { Caller } from "../../../core/peers/caller.ts";
import type { InboundPart, InboundRequest } from "../inbound-request.ts";
import { Audit } from "./audit.ts";
import { type AuthorizationSettings, checkOrigin } from "./authorization-options.ts";
import { hostProblem, hostsOf } from "./request-hosts.ts";

/** The answer to a request that may not pass. */
export interface Denial {
  readonly status: number;
  readonly why: string;
  /** Whether another instance may take the request: where this one does not know its policy yet. */
  readonly isMarked: boolean;
}

/** A request in the parts that are judged. */
export interface Judged {
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
}

/** The verdict on a request: the decision that is reported, and the answer where it may not pass. */
export interface Verdict {
  readonly authorization: ServedAuthorization;
  readonly denial: Denial | undefined;
}

/** Nothing of the rules is told to a caller. */
const forbidden: Denial = { status: 403, why: "forbidden", isMarked: false };
const noPolicy: Denial = { status: 503, why: "this instance does not know yet which requests are allowed", isMarked: true };

/** Lets pass the requests that the policy allows. Each fault of its own refuses. */
export class AuthorizationPart implements InboundPart {
  readonly name = "authorization";
  readonly #settings: AuthorizationSettings;
  readonly #clock: Clock;
  readonly #live: LivePolicy;
  readonly #audit: Audit | undefined;

  /** @throws Error saying what is wrong with the policy, or with its file. */
  constructor(settings: AuthorizationSettings, clock: Clock) {
    checkOrigin("inbound: authorization", settings);
    const { policy, file, source, audit, pollMs } = settings;
    this.#settings = settings;
    this.#clock = clock;
    this.#audit = audit === undefined ? undefined : new Audit(audit);
    const path = file === undefined ? undefined : resolve(file);
    const first = path === undefined ? policy && checkPolicy(policy) : parsePolicy(readPolicyFile(path), path);
    this.#live = new LivePolicy(first, clock);
    if (path !== undefined) this.#live.follow(policyFile(path, { pollMs, clock }));
    if (source !== undefined) this.#live.follow(source);
  }

  arrive(record: InboundRequest): boolean {
    const { request, method, target } = record;
    const { authorization, denial } = this.judge({ method, target, rawHeaders: request.rawHeaders }, record);
    record.authorization = authorization;
    return denial !== undefined && record.refuse(this.name, denial);
  }

  /** Decides on a request of any kind. Never throws. */
  judge(judged: Judged, caller: Caller): Verdict {
    try {
      return this.#judge(judged, caller);
    } catch (error) {
      warnOfThrow("authorization", error);
      return { authorization: { decision: "denied", ruleId: undefined }, denial: forbidden };
    }
  }

  close(): void {
    this.#live.close();
  }

  #judge(judged: Judged, caller: Caller): Verdict {
    const { method, target, rawHeaders } = judged;
    const isStrict = this.#settings.pathPolicy === "strict";
    const path = pathOfTarget(target) ?? (isStrict ? undefined : target);
    const hosts = hostsOf(rawHeaders, target);
    const problem = isStrict ? (problemOf(method, path) ?? hostProblem(hosts)) : asEnvoy(target);
    if (path === undefined || problem !== undefined) {
      const why = problem ?? "the target is no path";
      this.#tell("refused", { ruleId: undefined, reason: why, audits: [] }, { method, path: path ?? target }, caller);
      return { authorization: { decision: "refused", ruleId: undefined }, denial: { status: 400, why, isMarked: false } };
    }
    const policy = this.#live.current;
    if (policy === undefined) return { authorization: { decision: "refused", ruleId: undefined }, denial: noPolicy };
    const request: AuthorizationRequest = {
      method,
      path,
      headerValues: (name) => (name === hostHeader ? hosts : rawHeaderValues(rawHeaders, name)),
    };
    const found = policy.decide(request, caller, this.#clock.wallNow());
    const isDry = this.#settings.dryRun || policy.dryRun;
    const decision = found.allowed ? "allowed" : isDry ? "dry-run-denied" : "denied";
    if (!found.allowed || found.audits.length > 0) this.#tell(decision, found, request, caller);
    return { authorization: { decision, ruleId: found.ruleId }, denial: decision === "denied" ? forbidden : undefined };
  }

  #tell(
    decision: AuthorizationDecision,
    { ruleId, reason, audits }: Pick<Decision, "ruleId" | "audits"> & { readonly reason: string },
    { method, path }: Pick<AuthorizationRequest, "method" | "path">,
    { identity, address, tokens }: Caller,
  ): void {
    if (this.#audit === undefined) return;
    const subjects = tokens.map(({ subject }) => subject).filter((subject) => subject !== undefined);
    this.#audit.tell({ timeMs: this.#clock.wallNow(), decision, ruleId, reason, audits, method, path, identity, address, subjects });
  }
}

function problemOf(method: string, path: string | undefined): string | undefined {
  if (/[a-z]/.test(method)) return "the method is in lower case";
  return path === undefined ? "the target is no path" : pathProblem(path);
}

/** Envoy answers 400 to the only thing in a path that it does not take as it is: its rules would not see what a handler leaves out. */
function asEnvoy(target: string): string | undefined {
  return target.includes("#") ? "a fragment, which Envoy refuses too" : undefined;
}
