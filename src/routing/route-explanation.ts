/** Which rule decides on a call, and why no earlier one does: `mesh.route(target)`. */
export interface RouteExplanation {
  /** The service that is called. */
  readonly service: string;
  readonly method: string;
  /** Without the query, which may hold secrets. */
  readonly path: string;
  /** The name of the rule; `undefined` where none matches, and the call goes where it was sent. */
  readonly rule: string | undefined;
  /** The place of the rule in the table, from 0. */
  readonly index: number | undefined;
  /** The places that the call may go to: the called service where no rule matches, and none where the rule answers by itself. */
  readonly targets: readonly ExplainedTarget[];
  /** The path as it is sent, without the query; `undefined` where the rule answers by itself. */
  readonly sentPath: string | undefined;
  /** Other changes of the rule, in words, such as `sets x-user`: no values, which may be secrets. */
  readonly changes: readonly string[];
  /** The answer that the rule makes. */
  readonly answer: { readonly status: number; readonly location?: string } | undefined;
  /** Why the rule cannot be applied to this call; `undefined` where it can. */
  readonly fault: string | undefined;
  /** The rules before, in their order. */
  readonly before: readonly UnmatchedRule[];
}

/** A place that a call may go to. */
export interface ExplainedTarget {
  /** The name in its split; the service and the subset where there is one target. */
  readonly name: string;
  readonly service: string;
  readonly subset: string | undefined;
  /** The share of the calls by this rule, 0 to 1, as it is now. */
  readonly share: number;
  /** Whether this call goes there; `undefined` where chance decides. */
  readonly chosen: boolean | undefined;
}

/** A rule that does not match. */
export interface UnmatchedRule {
  readonly rule: string;
  /** For each match of the rule, its first part that does not hold: `path is "/a" or below`. */
  readonly because: readonly string[];
}
