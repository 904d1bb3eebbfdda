import type { Decision } from "../../../../authorization/compiled-policy.ts";
import type { AuthorizationRequest } from "../../../../authorization/request.ts";
import type { DecidingPolicy } from "../../../../authorization/sources/policy-source.ts";
import type { Caller } from "../../../../core/peers/caller.ts";
import { parseSpiffeId } from "../../../../core/peers/spiffe-id.ts";
import { type CompiledPermission, compilePermission } from "./compiled-permission.ts";
import type { Intention, IntentionAction, TokenRequirement } from "./intention.ts";

/** Intentions about one destination, with what else decides. */
export interface IntentionSet {
  readonly trustDomain: string;
  /** The decision where no intention decides. */
  readonly byDefault: IntentionAction;
  /** Whether Consul knows the service as one of HTTP; otherwise an intention with permissions denies. */
  readonly isHttp: boolean;
  readonly intentions: readonly Intention[];
  /** The issuer of each `jwt-provider` that an intention names. */
  readonly issuers: ReadonlyMap<string, string>;
}

const allowed = { allowed: true, reason: "a rule allows it", audits: [] } as const;
const denied = { allowed: false, reason: "a rule denies it", audits: [] } as const;

interface CompiledIntention {
  readonly intention: Intention;
  readonly rank: number;
  readonly permissions: readonly CompiledPermission[];
  readonly isTokenBound: boolean;
}

/**
 * Intentions that are ready to decide, as a sidecar of Consul decides: the first one whose source matches, within it the first permission that matches, else
 * the default. An action other than the default takes effect only with the tokens that it asks for; one without them does not pass the request on to what
 * comes after it.
 */
export class CompiledIntentions implements DecidingPolicy {
  readonly dryRun = false;
  readonly #set: IntentionSet;
  /** By their sources, each of which is there once, in the order of precedence. */
  readonly #bySource: ReadonlyMap<string, CompiledIntention>;

  /** Throws where a regular expression is none of RE2, and where a provider of tokens is unknown. */
  constructor(set: IntentionSet) {
    this.#set = set;
    const compiled = set.intentions.map((intention, rank) => {
      const permissions = intention.permissions.map(compilePermission);
      for (const { provider } of [...intention.tokens, ...permissions.flatMap(({ tokens }) => tokens)])
        if (!set.issuers.has(provider))
          throw new Error(`the intention ${intention.id} names the jwt-provider ${provider}, which does not exist`);
      return { intention, rank, permissions, isTokenBound: intention.tokens.length > 0 };
    });
    // Of several with one source the first counts.
    this.#bySource = new Map(compiled.reverse().map((each) => [each.intention.source, each]));
  }

  /** Never throws. A caller without an identity of a service in the mesh is denied whatever the default. */
  decide(request: AuthorizationRequest, caller: Caller): Decision {
    const name = this.#serviceOf(caller);
    if (name === undefined) return { ...denied, ruleId: undefined };
    const [own, every] = [this.#bySource.get(name), this.#bySource.get("*")];
    const found = own !== undefined && (every === undefined || own.rank < every.rank) ? own : every;
    if (found === undefined) return this.#byDefault(undefined);
    const decision = this.#decideBy(found, request, caller);
    if (!decision.allowed || this.#set.byDefault === "deny" || found.intention.source === name) return decision;
    // Where the default is to allow, a sidecar has a list of denials: an intention about all sources takes nothing from one about this source.
    const other = own === undefined ? undefined : this.#decideBy(own, request, caller);
    return other === undefined || other.allowed ? decision : other;
  }

  #decideBy(found: CompiledIntention, request: AuthorizationRequest, caller: Caller): Decision {
    const { intention, permissions } = found;
    const hasToken = !this.#set.isHttp || !found.isTokenBound || this.#isMet(intention.tokens, caller);
    if (intention.action !== undefined) return this.#of(intention.action, hasToken, intention.id);
    if (!this.#set.isHttp) return this.#of("deny", true, intention.id);
    const at = permissions.findIndex((permission) => permission.matches(request));
    const permission = permissions[at];
    if (permission === undefined) return this.#byDefault(intention.id);
    const isMet = hasToken && (permission.tokens.length === 0 || this.#isMet(permission.tokens, caller));
    return this.#of(permission.action, isMet, `${intention.id} #${at + 1}`);
  }

  #of(action: IntentionAction, isMet: boolean, ruleId: string): Decision {
    return isMet ? { ...(action === "allow" ? allowed : denied), ruleId } : this.#byDefault(ruleId);
  }

  #byDefault(ruleId: string | undefined): Decision {
    return { ...(this.#set.byDefault === "allow" ? allowed : denied), ruleId };
  }

  /** The name of the caller's service. The datacentre is not compared, as the sidecar does not. */
  #serviceOf({ identity }: Caller): string | undefined {
    const id = identity === undefined ? undefined : parseSpiffeId(identity);
    if (id === undefined || id.trustDomain !== this.#set.trustDomain) return undefined;
    const [, ns, namespace, dc, , svc, name, ...rest] = id.path.split("/");
    return ns === "ns" && namespace === "default" && dc === "dc" && svc === "svc" && rest.length === 0 ? name : undefined;
  }

  #isMet(requirements: readonly TokenRequirement[], { tokens }: Caller): boolean {
    return requirements.some(({ provider, claims }) =>
      tokens.some(
        (token) =>
          token.provider === provider &&
          token.issuer === this.#set.issuers.get(provider) &&
          claims.every(({ path, value }) => claimAt(token.claims, path) === value),
      ),
    );
  }
}

function claimAt(claims: unknown, path: readonly string[]): unknown {
  let value = claims;
  for (const key of path) {
    if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value;
}
