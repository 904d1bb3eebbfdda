/** The end of a call: its response body has closed, or it failed before. */
export interface CallEnd {
  /** The status of the response that the caller got; `undefined` where the call rejected. */
  readonly status: number | undefined;
  /** The error of the call or of its body; `undefined` for a success. */
  readonly error: unknown;
  /** Whether the caller aborted the call, which is no error. */
  readonly cancelled: boolean;
  /** Number of attempts. */
  readonly attempts: number;
  /** Milliseconds from `mesh.fetch` to the response head, or to the failure. */
  readonly headMs: number;
  /** Milliseconds from `mesh.fetch` to the end of the body. */
  readonly totalMs: number;
}

/** Follows one call. */
export interface CallObserver {
  /**
   * `true`: a call that an instance has answered is not followed further, and `onEnd` is not called for it. Of a failure that a time limit has
   * brought it is told outside of the asynchronous context of the call.
   */
  readonly skipsAnswered?: boolean;
  /** Called once: the body has closed, or the call failed before. */
  onEnd?(end: CallEnd): void;
}

/** The followers of one call, in the order of the observers that returned them; `undefined` for an observer that does not follow it. */
export type Observation = readonly (CallObserver | undefined)[];
