import type { SecureVersion } from "node:tls";
import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import { choice, timerMs } from "../../core/settings/rules.ts";

/**
 * Which connections a server with an identity takes.
 *
 * - `strict`: those over TLS whose client shows a certificate that is verified. All others end before a request of theirs is read.
 * - `permissive`: those, and connections in clear text on the same port. A handshake that fails is never continued in clear text.
 */
export type CallersMode = "strict" | "permissive";

/** The connections of callers to a server with an identity; `callers` in the options of `serve`. */
export interface CallersOptions {
  /** `strict`: TLS with a verified client certificate only. `permissive`: clear text on the same port, too. @default "strict" */
  readonly mode?: CallersMode;
  /** The oldest version of TLS that is spoken. @default "TLSv1.3" */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  /** Limit of the first byte and the TLS handshake of a connection, in milliseconds. @default 10000 */
  readonly handshakeMs?: number;
  /**
   * Time within which connections end that were made before the last change of the identity or of its authorities, each at a moment of its own, in
   * milliseconds. What is under way on them is answered. @default 30000
   */
  readonly renewMs?: number;
}

/** The rules of {@link CallersOptions}. */
export const callersOptions = optionTable<CallersOptions>()({
  mode: choice(["strict", "permissive"], "strict"),
  minVersion: choice(["TLSv1.2", "TLSv1.3"] satisfies SecureVersion[], "TLSv1.3"),
  handshakeMs: timerMs({ default: 10_000, min: 1 }),
  renewMs: timerMs({ default: 30_000, min: 0 }),
});

/** {@link CallersOptions} with the defaults filled in. */
export type CallersSettings = Settled<typeof callersOptions.rules>;
