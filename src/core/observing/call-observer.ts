/** How a call ended: when its body closed, or when it failed before. */
export interface CallEnd {
  /** The status of the response the caller got; `undefined` when the call rejected. */
  readonly status: number | undefined;
  /** What the call rejected with, or its body failed with. */
  readonly error: unknown;
  /** `true` when the caller aborted it: not an error. */
  readonly cancelled: boolean;
  /** Attempts made. */
  readonly attempts: number;
  /** Milliseconds from `mesh.fetch` to the response head, or to the failure. */
  readonly headMs: number;
  /** Milliseconds from `mesh.fetch` to the end of the body. */
  readonly totalMs: number;
}

/** Follows one call. */
export interface CallObserver {
  /** `true`: nothing is wanted of a call that an instance has answered, which is spared the following then. */
  readonly skipsAnswered?: boolean;
  /** The body has closed, or the call failed before. Called once. */
  onEnd?(end: CallEnd): void;
}

/** What the observers of a mesh hold for one call, by observer. */
export type Observation = readonly (CallObserver | undefined)[];
