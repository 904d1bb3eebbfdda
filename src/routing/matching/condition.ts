import type { RoutedCall } from "./routed-call.ts";

/** One part of a match. */
export interface Condition {
  /** The part in explanations: `path`, `headers.x-user`. */
  readonly part: string;
  /** The demand in explanations: `is below /api`. */
  readonly demand: string;
  holds(call: RoutedCall): boolean;
}
