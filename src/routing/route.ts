import type { RouteMatch } from "./route-match.ts";
import type { RouteOptions } from "./route-options.ts";

/**
 * One rule of a table of routes. The first rule of the table that matches a call decides on it alone; a call that no rule matches goes where its caller
 * sent it. A rule has at most one of `to`, `split`, `redirect` and `respond`; one with none of them leaves the call at its service, for its other parts.
 */
export interface Route {
  /** The name in errors, metrics, `explain` and `inmesh route`, once in a table. @default its place, `routes[3]` */
  readonly name?: string;
  /** The calls that the rule is for; of several matches one is enough. @default every call */
  readonly match?: RouteMatch | readonly RouteMatch[];
  /** The service, and the part of its instances, that answers: `"orders"`, `{ subset: { metadata: { version: "2" } } }`. */
  readonly to?: RouteTarget | string;
  /** Several targets by weight. */
  readonly split?: RouteSplit;
  /** Sends the caller elsewhere: the answer is a redirect, made in this process. */
  readonly redirect?: RouteRedirect;
  /** An answer that no instance makes. */
  readonly respond?: RouteAnswer;
  /** Changes of the path as it is sent. */
  readonly rewrite?: RouteRewrite;
  /** Changes of the request's headers, before `authorize` sees it. */
  readonly requestHeaders?: HeaderChanges;
  /** Changes of the response's headers. */
  readonly responseHeaders?: HeaderChanges;
  /**
   * The key by which pickers that hash choose the instance, where the call has none of its own (`mesh.hashKey`): of several the first that the request
   * has. @default that of the picker
   */
  readonly hashKey?: RouteHashKey | readonly RouteHashKey[];
  /** Options of the service in place of its own, for calls by this rule. */
  readonly options?: RouteOptions;
  /** Copies of calls, of which nothing comes back. */
  readonly mirror?: RouteMirror | readonly RouteMirror[];
  /** Delays and refusals that are made on purpose. */
  readonly fault?: RouteFault;
}

/** A value that requests are kept together by: of a header, a cookie, a parameter of the query, or the address of the caller that is being answered. */
export type RouteHashKey =
  | {
      /** The name of a header. */
      readonly header: string;
    }
  | {
      /** The name of a cookie. */
      readonly cookie: string;
    }
  | {
      /** The name of a parameter. */
      readonly query: string;
    }
  | "callerAddress";

/** Where calls go. */
export interface RouteTarget {
  /** Its name. @default the service that was called */
  readonly service?: string;
  /** A part of its instances. @default all instances */
  readonly subset?: RouteSubset;
}

/** Instances by what discovery says of them. Every part must hold. */
export interface RouteSubset {
  /** The name in metrics and `explain`. @default its parts: `version=2` */
  readonly name?: string;
  /** Metadata of the instance, each with this value. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** A range of semver that `metadata.version` satisfies: `^2.1`. */
  readonly version?: string;
  /** Where no instance is of the subset: the call fails, or goes to any. @default "fail" */
  readonly whenEmpty?: "fail" | "any";
}

/** A target of a split, and its part of the calls. */
export interface WeightedTarget extends RouteTarget {
  /** The name in metrics and `explain`, once in a split. @default its service and its subset */
  readonly name?: string;
  /** Its share of the sum of all weights: a whole number, 0 to 1,000,000. Required, but in a split with a canary, which moves the weights by itself. */
  readonly weight?: number;
  /** Changes of the request's headers for this target, after those of the rule. */
  readonly requestHeaders?: HeaderChanges;
  /** Changes of the response's headers for this target, before those of the rule. */
  readonly responseHeaders?: HeaderChanges;
}

/** Calls between several targets. */
export interface RouteSplit {
  /** At least two of them. */
  readonly targets: readonly WeightedTarget[];
  /** Calls with the same value go to the same target while the weights stay: by XXH64 of the value. @default each call by chance */
  readonly sticky?: StickyKey;
  /** Moves the weights by itself, step by step, from the first target to the second. @default they stay */
  readonly canary?: RouteCanary;
}

/** The value that keeps calls together: of a header, a cookie, a parameter of the query, or `mesh.hashKey` of the call. */
export type StickyKey =
  | {
      /** The name of a header. */
      readonly header: string;
    }
  | {
      /** The name of a cookie. */
      readonly cookie: string;
    }
  | {
      /** The name of a parameter. */
      readonly query: string;
    }
  | "hashKey";

/** How the second target of a split takes over from the first. */
export interface RouteCanary {
  /** The shares of the second target, in percent, one after another, the last 100 at most. @default [1, 5, 25, 50, 100] */
  readonly steps?: readonly number[];
  /** The time that a step takes at least, in milliseconds. @default 60000 */
  readonly stepMs?: number;
  /** The calls to the second target that a step needs at least. @default 100 */
  readonly minCalls?: number;
  /** The excess of failures that is a reason to go back, in percent of its calls. @default 1 */
  readonly maxExtraFailures?: number;
  /** How much slower its median may be, as a factor. @default 1.5 */
  readonly maxSlowdown?: number;
  /** The key in the shared state by which several processes take one decision. @default each process decides alone */
  readonly sharedKey?: string;
}

/** Sends the caller elsewhere. */
export interface RouteRedirect {
  /** The status of the answer. @default 301 */
  readonly status?: 301 | 302 | 303 | 307 | 308;
  /** In place of the request's. Without `scheme`, `host` and `port`, the location is a path. */
  readonly scheme?: "http" | "https";
  /** In place of the host that was asked. */
  readonly host?: string;
  /** In place of the usual one. */
  readonly port?: number;
  /** The whole path; `{name}` stands for a part of the template that matched. */
  readonly path?: string;
  /** In place of the prefix that matched. */
  readonly prefix?: string;
  /** Every place of the path that a linear pattern matches, with `$1` for its groups. */
  readonly pattern?: Replacement;
  /** Leaves the query out. @default false */
  readonly stripQuery?: boolean;
}

/** An answer that no instance makes. */
export interface RouteAnswer {
  /** From 200 to 599. */
  readonly status: number;
  /** Its headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Its text. @default none */
  readonly body?: string;
}

/** The places of a text that a pattern matches, and the text in their place. */
export interface Replacement {
  /** A linear pattern (RE2 syntax). */
  readonly pattern: string;
  /** With `$1` for the first group. */
  readonly with: string;
}

/** One of them. The query stays, unless the new path brings one; a path that ends with `?` leaves it out. */
export interface RouteRewrite {
  /** The whole path; `{name}` stands for a part of the template that matched. */
  readonly path?: string;
  /** In place of the prefix that matched. */
  readonly prefix?: string;
  /** Every place that a linear pattern matches, with `$1` for its groups. */
  readonly pattern?: Replacement;
  /** The `host` header, beside one of the others. @default as it came */
  readonly host?: string;
}

/** Changes of headers: first `remove`, then `set`, then `setIfAbsent`, then `add`. Hop-by-hop headers and those that frame the body cannot be changed. */
export interface HeaderChanges {
  /** Names. */
  readonly remove?: readonly string[];
  /** In place of what was there. */
  readonly set?: Readonly<Record<string, HeaderValue>>;
  /** Set where there is no such header. */
  readonly setIfAbsent?: Readonly<Record<string, HeaderValue>>;
  /** Beside what is there. */
  readonly add?: Readonly<Record<string, HeaderValue>>;
}

/** The value of a header as it is, or made from the request. */
export type HeaderValue = string | HeaderText;

/**
 * A text with parts of the request in braces: `{client.address}` (of the request that is being answered), `{host}`, `{scheme}`, `{method}`, `{path}`, `{query}`,
 * `{target}` (path and query), `{header.NAME}`, `{cookie.NAME}` and `{parameter.NAME}`, as the call came; `{{` and `}}` stand for braces. A part that the
 * request has not is empty; a header whose text is empty then is not sent. Of requests only.
 */
export interface HeaderText {
  /** Such as `{client.address}`. */
  readonly text: string;
}

/** A copy of calls to another target. Its outcome reaches no caller, blames no instance and takes nothing of a retry budget. */
export interface RouteMirror {
  /** Its name. @default the service that the call goes to */
  readonly service?: string;
  /** A part of its instances. @default all instances */
  readonly subset?: RouteSubset;
  /** Of the calls that may be copied, in percent. @default 100 */
  readonly percent?: number;
  /** The methods that are copied: `safe` (GET, HEAD, OPTIONS, TRACE, QUERY), or `all`, for a target that may execute them again. @default "safe" */
  readonly methods?: "safe" | "all";
  /**
   * Whether `authorization`, `cookie` and other headers that give access or say which caller it is are in the copy, and the token of the service (`token`).
   * Without them, a call with a secret in its query (`access_token`) is not copied. @default false
   */
  readonly credentials?: boolean;
  /** Copies under way at a time; further ones are left out and counted. @default 100 */
  readonly maxInFlight?: number;
  /** Bodies up to this are copied, in bytes; calls with more are not. @default 65536 */
  readonly maxBodyBytes?: number;
  /** The time limit of a copy, in milliseconds. @default 5000 */
  readonly timeoutMs?: number;
}

/**
 * Faults on purpose, for calls that are marked by a header: first the delay, then the abort, each drawn by itself. They are made above the service: no
 * instance is asked or blamed, and nothing is repeated.
 */
export interface RouteFault {
  /** The header that marks a call. `"*"`: every call of the rule. @default "x-mesh-fault" */
  readonly header?: string;
  /** The call waits, at most until its deadline. */
  readonly delay?: {
    /** How long, in milliseconds. */
    readonly ms: number;
    /** Of the marked calls. @default 100 */
    readonly percent?: number;
  };
  /** Answered by the mesh with this status (and the header `x-mesh-fault`), or ended as a connection that breaks before anything is sent. */
  readonly abort?: {
    /** From 200 to 599. */
    readonly status?: number;
    /** In place of a status. */
    readonly error?: "reset";
    /** Of the marked calls. @default 100 */
    readonly percent?: number;
  };
}
