import type { Endpoint } from "./endpoint.ts";

/** The instances that a route leads to: a part of those of a service. One object for one part, since lists of candidates are kept by it. */
export interface Subset {
  readonly name: string;
  /** Where no instance is of it: the call fails, or goes to any. */
  readonly whenEmpty: "fail" | "any";
  /** Whether an instance is of the part. */
  has(endpoint: Endpoint): boolean;
}

/** The decision of a route on a call; made once for a rule and a target, not for each call. */
export interface Routed {
  /** The name of the rule. */
  readonly rule: string;
  /** The name of the target in its split; `undefined` where the rule has one target. */
  readonly target: string | undefined;
  readonly subset: Subset | undefined;
  /** Options in place of those of the service, by which a pipeline of the service is kept; one object for one rule. */
  readonly options: object | undefined;
}
