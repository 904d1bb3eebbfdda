// A custom policy: each call carries a bearer token; when the service answers 401, the token is renewed and the call repeated once.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createMesh, staticDiscovery } from "inmesh";
import type { Interceptor, MeshRequest } from "inmesh/extend";

function bearer(issue: () => Promise<string>): Interceptor {
  // Shared by all calls, so that a hundred calls with an expired token renew it once.
  let current: Promise<string> | undefined;
  const renew = (expired: Promise<string> | undefined): Promise<string> => {
    if (current !== undefined && current !== expired) return current;
    const issued = issue();
    current = issued;
    // A failure is not kept: the next call asks again.
    issued.catch(() => {
      if (current === issued) current = undefined;
    });
    return issued;
  };
  // The outer function runs once, the inner one for each call.
  return (next) => async (request) => {
    const token = renew(undefined);
    const response = await next(withToken(request, await token));
    if (response.status !== 401 || !canBeRepeated(request)) return response;
    // A response that is not handed on must be discarded: until then it holds its connection.
    response.body.discard();
    return next(withToken(request, await renew(token)));
  };
}

/** Requests are never changed: a policy passes a copy on. */
function withToken(request: MeshRequest, token: string): MeshRequest {
  return { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } };
}

/** 401 says that the request was not executed, so that any method may be repeated; a stream has been read. */
function canBeRepeated({ body }: MeshRequest): boolean {
  return body === undefined || typeof body === "string" || body instanceof Uint8Array || typeof body === "function";
}

// The rest of this file tries it: a service that accepts the newest token only, and each token for three requests.
let issued = 0;
let left = 0;
const server = createServer((request, response) => {
  if (request.headers.authorization !== `Bearer token-${issued}` || left-- <= 0) response.writeHead(401);
  response.end(`${request.headers.authorization}`);
}).listen(0, "127.0.0.1");
await once(server, "listening");

const mesh = createMesh({
  discovery: staticDiscovery({ orders: [{ host: "127.0.0.1", port: (server.address() as AddressInfo).port }] }),
  services: {
    orders: {
      interceptors: [
        bearer(async () => {
          left = 3;
          return `token-${++issued}`;
        }),
      ],
    },
  },
});
for (let call = 1; call <= 5; call++) {
  const response = await mesh.fetch("orders/", { method: "POST", body: `order ${call}` });
  console.log(response.status, await response.text());
}
await mesh.close();
server.close();
