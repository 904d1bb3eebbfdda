/** The rules by which a server lets requests pass. Any rule that denies is stronger than those that allow; a request that no rule allows is denied. */
export interface Policy {
  /** No rule at all denies every request. */
  readonly rules: readonly PolicyRule[];
  /** Whether decisions are only reported: every request is let pass. @default false */
  readonly dryRun?: boolean;
}

/** The effect of a rule on the requests that it matches: `audit` only tells of them. */
export type RuleAction = "allow" | "deny" | "audit";

/** One rule. It matches a request for which all of its conditions hold; without any condition, every request. */
export interface PolicyRule {
  /** Names the rule in logs, metrics and audit records; each id is there once. Letters, digits, `.`, `_`, `:`, `/` and `-`. */
  readonly id: string;
  readonly action: RuleAction;
  /** Conditions on the caller. Default: any, also one without an identity. */
  readonly from?: RuleFrom;
  /** Conditions on the request. Default: any. */
  readonly to?: RuleTo;
  /** When the rule holds. Default: always. */
  readonly when?: RuleWindow;
}

/** Conditions on the caller, all of which must hold. */
export interface RuleFrom {
  /**
   * Verified identities, one of which the caller has: exact (`spiffe://example.org/orders`, a DNS name), all below a path
   * (`spiffe://example.org/shop/`), all of a trust domain (`spiffe://example.org/`), or `*` for any.
   */
  readonly identities?: readonly string[];
  /** Identities, none of which the caller has. A caller without an identity has none of them. */
  readonly notIdentities?: readonly string[];
  /** Addresses and networks, one of which the connection comes from: `10.0.0.0/8`. A Unix socket comes from none. */
  readonly addresses?: readonly string[];
  /** Addresses and networks, none of which it comes from. */
  readonly notAddresses?: readonly string[];
  /** Conditions on one of the verified tokens of the request. */
  readonly token?: TokenCondition;
}

/** Conditions on one token, all of which must hold for the same one. */
export interface TokenCondition {
  /** Names of providers, as the options of the server have them. */
  readonly providers?: readonly string[];
  readonly issuers?: readonly string[];
  readonly subjects?: readonly string[];
  /** Claims by name. Of nested claims an object: `{ realm: { roles: ["admin"] } }`. */
  readonly claims?: ClaimConditions;
}

/** Claims with the values of which they must have one. A claim that is a list has all of its elements; `scope` those between its spaces. */
export interface ClaimConditions {
  readonly [name: string]: readonly (string | number | boolean)[] | ClaimConditions;
}

/** Conditions on the request, all of which must hold. */
export interface RuleTo {
  /** Methods in capitals. `GET` does not mean `HEAD`. */
  readonly methods?: readonly string[];
  readonly notMethods?: readonly string[];
  /**
   * Paths without query: exact (`/orders`), a path and all below it (`/orders/**`), a template with a whole segment in each pair of braces
   * (`/orders/{id}/items`), or `{ regex }`.
   */
  readonly paths?: readonly PathPattern[];
  readonly notPaths?: readonly PathPattern[];
  /** Conditions on headers, all of which must hold. */
  readonly headers?: readonly HeaderCondition[];
}

/** A path as a text, or a regular expression for the whole of it, in the syntax of RE2; needs the npm package `re2js`. */
export type PathPattern = string | { readonly regex: string };

/**
 * A condition on one header: exactly one of `exact`, `prefix`, `suffix`, `regex` and `present`. Where a request has the header several times, an allowing
 * rule needs all of the values to match, another one of them.
 */
export interface HeaderCondition {
  /** In any case. */
  readonly name: string;
  readonly exact?: string | readonly string[];
  readonly prefix?: string;
  readonly suffix?: string;
  /** For the whole value, in the syntax of RE2. */
  readonly regex?: string;
  readonly present?: boolean;
  /** Whether values must not match; a header that is absent does not. @default false */
  readonly not?: boolean;
}

/** A part of time, in UTC; all of its parts must hold. */
export interface RuleWindow {
  /** First moment, as `2027-01-31T08:00:00Z`. */
  readonly after?: string;
  /** The moment at which it ends. */
  readonly before?: string;
  readonly days?: readonly Day[];
  /** Hours of the day, the end excluded: `08:00-18:00`; `22:00-06:00` goes over midnight. */
  readonly hours?: string;
}

/** A day of the week. */
export type Day = "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun";
