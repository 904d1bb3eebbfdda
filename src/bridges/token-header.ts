import type { ClientRequest } from "node:http";
import { MeshError } from "../core/errors.ts";

/** The parts of a request of `node:http` that the types omit: its head, once it is written, and what waits for a connection. */
interface Written {
  _header?: string | null;
  readonly outputData?: { data: unknown }[];
}

const ownHeader = /\r\nauthorization:/i;

/** Whether the client has given the header `authorization` itself, as an array of headers too, which is written at once. */
export function hasAuthorization(request: ClientRequest): boolean {
  const { _header } = request as unknown as Written;
  return request.hasHeader("authorization") || (typeof _header === "string" && ownHeader.test(_header));
}

/**
 * Adds the token of a service to a request that has no connection yet. A client that ends its request in the turn in which it makes it has written its head by
 * then: the token is put into that head, behind the request line.
 * @throws MeshError where there is no such place: the request must not go without it.
 */
export function addAuthorization(request: ClientRequest, service: string, value: string): void {
  if (!request.headersSent) {
    request.setHeader("authorization", value);
    return;
  }
  const written = request as unknown as Written;
  const head = written._header;
  const first = written.outputData?.[0];
  const end = typeof head === "string" ? head.indexOf("\r\n") + 2 : 0;
  if (typeof head !== "string" || end < 2) throw notAdded(service);
  const added = `${head.slice(0, end)}authorization: ${value}\r\n${head.slice(end)}`;
  // Written, and not yet among what waits: it is put there with the first part of the body.
  if (first !== undefined) {
    if (typeof first.data !== "string" || !first.data.startsWith(head)) throw notAdded(service);
    first.data = added + first.data.slice(head.length);
  }
  written._header = added;
}

function notAdded(service: string): MeshError {
  const message = `the token for "${service}" cannot be added to a request whose head is on its way (token)`;
  return new MeshError("ERR_MESH_TOKEN", message, { service, maybeExecuted: false });
}
