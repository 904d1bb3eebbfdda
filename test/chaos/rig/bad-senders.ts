import { addressOf, type Endpoint } from "../../../src/core/endpoint.ts";
import type { ListedEndpoint } from "../../../src/discovery/file/service-list.ts";
import { bodyFor } from "./payload.ts";
import { type Send, settledBy } from "./sender.ts";

/** Bad on purpose: sends whatever failed again at the next instance, and says of every failure that nothing was executed. */
export function blindSender(endpoints: readonly ListedEndpoint[]): Send {
  let next = 0;
  return async (id, method) => {
    let message = "";
    for (let attempt = 1; attempt <= 3; attempt++) {
      const endpoint = endpoints[next++ % endpoints.length] as Endpoint;
      try {
        const body = method === "GET" ? null : bodyFor(id);
        const response = await fetch(`http://${addressOf(endpoint)}/items/${id}`, {
          method,
          body,
          headers: { "x-id": id },
          signal: AbortSignal.timeout(500),
        });
        return await settledBy(id, response);
      } catch (error) {
        message = String(error);
      }
    }
    return { error: "FAILED", maybeExecuted: false, message };
  };
}

/** Bad on purpose: what fails is never heard of again. */
export function forgetfulSender(inner: Send): Send {
  return async (id, method, signal) => {
    const settled = await inner(id, method, signal);
    return settled.error === undefined ? settled : await new Promise<never>(() => {});
  };
}
