import type { Dispatch, MeshRequest } from "../../src/core/dispatch.ts";
import { type AttemptRecord, MeshError, type MeshErrorCode } from "../../src/core/errors.ts";
import { type OpenResponse, openResponse } from "./open-response.ts";

/** How an attempt ends in a test: a status, an answer, or an error with how far it had got. */
export type Ending =
  | number
  | OpenResponse
  | { readonly code: MeshErrorCode; readonly phase?: AttemptRecord["phase"]; readonly maybeExecuted?: boolean }
  | { readonly throws: unknown };

/** Ends attempts as the transport does: notes each with the call and answers or rejects. */
export function endings(next: (request: MeshRequest) => Ending | Promise<Ending>): {
  readonly dispatch: Dispatch;
  readonly requests: MeshRequest[];
} {
  const requests: MeshRequest[] = [];
  return {
    requests,
    dispatch: async (request) => {
      requests.push(request);
      const ending = await next(request);
      const note = (phase: AttemptRecord["phase"], maybeExecuted: boolean, more: Partial<AttemptRecord> = {}) =>
        void request.attempts.push({
          endpoint: request.upstream?.id,
          address: request.upstream?.address,
          phase,
          ms: 1,
          maybeExecuted,
          ...more,
        });
      if (typeof ending === "number" || "body" in ending) {
        const response = typeof ending === "number" ? openResponse(ending) : ending;
        note("body", true, { status: response.status });
        return response;
      }
      if ("throws" in ending) {
        note("headers", true);
        throw ending.throws;
      }
      const { code, phase = code === "ERR_MESH_PROTOCOL" || code === "ERR_MESH_TIMEOUT" ? "headers" : "connect" } = ending;
      note(phase, ending.maybeExecuted ?? phase !== "connect", { code });
      throw new MeshError(code, code, { service: request.service, attempts: [...request.attempts] });
    },
  };
}

/** Ends the attempts of a call one after the other; the last ending stands for all that follow. */
export function sequence(...list: readonly Ending[]): ReturnType<typeof endings> {
  let index = 0;
  return endings(() => list[Math.min(index++, list.length - 1)] as Ending);
}
