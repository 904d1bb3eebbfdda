/** How a call ended: when its body closed, or when it failed before. */
export interface CallEnd {
  /** The status of the response the caller got; `undefined` when the call rejected. */
  readonly status: number | undefined;
  /** The error that the call rejected with, or that its body failed with; `undefined` for a success. */
  readonly error: unknown;
  /** `true` when the caller aborted the call, which is no error. */
  readonly cancelled: boolean;
  /** Number of attempts made. */
  readonly attempts: number;
  /** Milliseconds from `mesh.fetch` to the response head, or to the failure. */
  readonly headMs: number;
  /** Milliseconds from `mesh.fetch` to the end of the body. */
  readonly totalMs: number;
}

/** Follows one call. */
export interface CallObserver {
  /** `true`: `onEnd` is not wanted for a call that an instance has answered; such a call is not followed further. */
  readonly skipsAnswered?: boolean;
  /** The body has closed, or the call failed before. Called once. */
  onEnd?(end: CallEnd): void;
}

/** The followers of one call, in the order of the observers that returned them; `undefined` for an observer that follows nothing. */
export type Observation = readonly (CallObserver | undefined)[];
