// A custom observer: a line of JSON for each slow or failed call, and the id of the incoming request as a header of each attempt.
import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { createMesh, isMeshError, openTelemetry, staticDiscovery } from "inmesh";
import type { Observer } from "inmesh/extend";

/** The id of the request that this process is answering. */
const requestId = new AsyncLocalStorage<string>();

interface CallLogOptions {
  /** Calls that take longer are logged, in milliseconds. */
  readonly slowMs: number;
  write(line: string): void;
}

function callLog({ slowMs, write }: CallLogOptions): Observer {
  return {
    onCall: ({ service, method }) => ({
      // Called once, when the body has closed or the call has failed.
      onEnd({ status, error, cancelled, attempts, totalMs }) {
        if (cancelled || (error === undefined && totalMs < slowMs)) return;
        const code = isMeshError(error) ? error.code : undefined;
        // No path, query or header: they may hold names and secrets.
        write(JSON.stringify({ service, method, status, code, attempts, ms: Math.round(totalMs), id: requestId.getStore() }));
      },
    }),
    onAttempt() {
      const id = requestId.getStore();
      return id === undefined ? undefined : { headers: { "x-request-id": id } };
    },
    // Everything rare is an event, told apart by its type.
    onEvent(event) {
      if (event.type === "retry") write(JSON.stringify({ service: event.service, retry: event.reason }));
    },
  };
}

// The rest of this file tries it: a service that is fast, slow or gone.
const server = createServer(async (request, response) => {
  if (request.url === "/slow") await pause(150);
  response.end(`request ${request.headers["x-request-id"]}`);
}).listen(0, "127.0.0.1");
await once(server, "listening");

const mesh = createMesh({
  discovery: staticDiscovery({
    orders: [{ host: "127.0.0.1", port: (server.address() as AddressInfo).port }],
    gone: [{ host: "127.0.0.1", port: 9 }],
  }),
  // A given list replaces the default one: name openTelemetry() too where it is wanted.
  observers: [openTelemetry(), callLog({ slowMs: 100, write: console.log })],
});

await requestId.run("r-1", async () => {
  console.log(await (await mesh.fetch("orders/fast")).text());
  console.log(await (await mesh.fetch("orders/slow")).text());
});
await mesh.fetch("gone/", { mesh: { retry: false } }).catch(({ code }) => console.log(code));

await mesh.close();
server.close();
