import { describeError } from "../../core/errors.ts";
import type { Observer } from "../../extend.ts";
import { MeshError } from "../../index.ts";

/** Reports the first error of discovery before its first answer. A mesh would go on asking; a command must not make its user wait. */
export function firstErrorOf(service: string, tell: (error: MeshError) => void): Observer {
  let isKnown = false;
  return {
    onEvent(event) {
      if (event.type === "endpoints") isKnown = true;
      if (event.type !== "discovery-error" || isKnown) return;
      const { error: cause } = event;
      const message = `"${service}" has no endpoints: ${describeError(cause)}`;
      tell(new MeshError("ERR_MESH_NO_ENDPOINTS", message, { service, cause, maybeExecuted: false }));
    },
  };
}
