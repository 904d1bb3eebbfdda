/** An intention of Consul about one destination: whether a source may call it. */
export interface Intention {
  /** `batch → orders`, for the id of a decision. */
  readonly id: string;
  /** The name of a service, or `*`. */
  readonly source: string;
  /** `undefined` where permissions decide. */
  readonly action: IntentionAction | undefined;
  readonly permissions: readonly IntentionPermission[];
  /** One of these tokens is needed for an action that is not the default. */
  readonly tokens: readonly TokenRequirement[];
}

/** The effect of an intention or permission. */
export type IntentionAction = "allow" | "deny";

/** A part of an intention that looks at requests. */
export interface IntentionPermission {
  readonly action: IntentionAction;
  readonly path: { readonly exact: string } | { readonly prefix: string } | { readonly regex: string } | undefined;
  readonly headers: readonly IntentionHeader[];
  /** Empty for all. */
  readonly methods: readonly string[];
  readonly tokens: readonly TokenRequirement[];
}

/** A condition on a header. */
export interface IntentionHeader {
  /** In lower case. */
  readonly name: string;
  readonly test:
    | { readonly present: true }
    | { readonly exact: string }
    | { readonly prefix: string }
    | { readonly suffix: string }
    | { readonly contains: string }
    | { readonly regex: string };
  readonly invert: boolean;
  readonly ignoreCase: boolean;
}

/** A token of a provider, with values of its claims. */
export interface TokenRequirement {
  /** The name of a `jwt-provider` of Consul. */
  readonly provider: string;
  readonly claims: readonly { readonly path: readonly string[]; readonly value: string }[];
}
