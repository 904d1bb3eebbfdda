import type { MeshRequest } from "../../dispatch.ts";

/** How the copy of a call has ended: `answered` below 500, `failed` with a 5xx or an error. */
export type MirrorOutcome = "answered" | "failed" | "timeout" | "cancelled";

/**
 * The reason for which no copy was made of a call that a rule copies: as many are under way as may be, its body is too large, or was not read to its end,
 * its query has a secret, `authorize` refused the copy, or its service cannot be called.
 */
export type MirrorOmission = "in-flight" | "body-size" | "body-unread" | "credentials" | "forbidden" | "unavailable";

/** A copy of a call has ended, or was left out. */
export interface MirrorEvent {
  readonly type: "mirror";
  /** The service that the copy is for. */
  readonly service: string;
  /** The rule that copies the call. */
  readonly rule: string;
  /** The call that was copied. */
  readonly request: MeshRequest;
  /** `undefined` for a copy that was left out. */
  readonly outcome: MirrorOutcome | undefined;
  /** `undefined` for a copy that was sent. */
  readonly omission: MirrorOmission | undefined;
}

/** A fault that is made on purpose: a call that waits, one that is answered by the mesh, and one that ends as if its connection broke. */
export type FaultKind = "delay" | "abort" | "reset";

/** A call has met a fault of its route. */
export interface FaultEvent {
  readonly type: "fault";
  readonly service: string;
  /** The rule that has the fault. */
  readonly rule: string;
  readonly request: MeshRequest;
  readonly fault: FaultKind;
  /** The status of an answer; else `undefined`. */
  readonly status: number | undefined;
}
