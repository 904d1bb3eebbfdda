import type { Cancellation } from "../../core/cancellation.ts";
import type { Upstream } from "../../core/upstream.ts";

/** Checks one instance once. Resolves when the instance passed; rejects with the reason why not, or with that of the cancellation. */
export type HealthCheckProbe = (upstream: Upstream, cancellation: Cancellation) => Promise<void>;
