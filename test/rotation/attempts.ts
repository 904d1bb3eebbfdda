import { AttemptLedger } from "../../src/attempts/attempt-ledger.ts";
import { localResponse } from "../../src/core/buffered-body.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { Dispatch } from "../../src/core/dispatch.ts";
import { MeshError } from "../../src/core/errors.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import type { Upstream } from "../../src/core/upstream.ts";
import type { Rotation } from "../../src/rotation/rotation.ts";
import { testRequest } from "../../src/testing/request.ts";

/** Takes every wait for long enough: the tests say by the error alone how an attempt ended, and whether its body had a reader. */
export const impatient = { isEnough: (waitedMs: number, inBody: boolean) => !inBody || waitedMs > 0, learn: () => {} };

/** The rotation as the balance layer uses it, around `next`, for a request whose upstream has been chosen. */
export function throughRotation(rotation: Rotation, next: Dispatch): Dispatch {
  const ledger = new AttemptLedger({ picker: {}, passiveHealth: rotation.passiveHealth, patience: impatient, clock: systemClock });
  return (request) => {
    const upstream = request.upstream as Upstream;
    const attempt = ledger.begin(upstream, request);
    return next(request).then(
      (response) => {
        attempt.head(response);
        response.body.onClose((error) => attempt.end(error));
        return response;
      },
      (error: unknown) => {
        attempt.end(error);
        throw error;
      },
    );
  };
}

/** An attempt at `upstream` begins; the function ends it. `isRefused`: no connection could be made. */
export function begun(rotation: Rotation, upstream: Upstream): (outcome: Outcome, isRefused?: boolean) => void {
  const attempt = new AttemptLedger({ picker: {}, passiveHealth: rotation.passiveHealth, patience: impatient, clock: systemClock }).begin(
    upstream,
    testRequest({ upstream }),
  );
  return (outcome, isRefused = false) => {
    if (outcome === "success") attempt.head(localResponse(200));
    const failure = new MeshError(isRefused ? "ERR_MESH_CONNECT" : "ERR_MESH_PROTOCOL", "failed");
    attempt.end(outcome === "success" ? undefined : outcome === "neutral" ? new Error("given up") : failure);
  };
}
