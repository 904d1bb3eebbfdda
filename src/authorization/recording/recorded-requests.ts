import type { AuthorizationDecision } from "../../core/observing/served-request.ts";

/** Of a decision that was told to `audit`, what a recorder reads. */
export interface DecidedRequest {
  readonly decision: AuthorizationDecision;
  readonly ruleId: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly identity: string | undefined;
  /** Records before this one that were dropped. */
  readonly dropped?: number;
}

/** Requests of one caller with one method to one path, in a record. */
export interface RecordedRequest {
  /** The identity of the caller; `null` for none. */
  readonly identity: string | null;
  readonly method: string;
  /** With `{id}` for a segment of which many values were seen. */
  readonly path: string;
  readonly count: number;
}

/** Requests that a server has let pass, each kind once. */
export interface RequestRecord {
  readonly requests: readonly RecordedRequest[];
  /** Requests that are not among them, by reason. */
  readonly leftOut: {
    /** Dropped before the recorder saw them. */
    readonly dropped: number;
    /** Beyond the bounds of the recorder. */
    readonly tooMany: number;
    /** With a caller, method or path that no rule can name. */
    readonly unnameable: number;
  };
}
