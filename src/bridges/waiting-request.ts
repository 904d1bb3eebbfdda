import type { ClientRequest } from "node:http";
import type { Duplex } from "node:stream";

/** The methods of `http.ClientRequest` by which it gets its socket and its end; the types omit the first, of 2013. */
interface RequestInternals {
  onSocket(socket: Duplex | null, error?: Error): void;
  destroy(error?: Error): ClientRequest;
}

/**
 * Tells once that `request` was destroyed before it had a socket. With `node:http` alone the destruction has no effect until a socket comes, and the client
 * waits for the error: here the request has it at once, and a connection that comes later goes to another one.
 */
export function onDestroyedWaiting(request: ClientRequest, listener: () => void): void {
  const own = request as unknown as RequestInternals;
  const { onSocket, destroy } = own;
  let hasEnded = false;
  own.onSocket = (socket, error) => {
    if (hasEnded) {
      handBack(socket, error);
      return;
    }
    own.onSocket = onSocket;
    own.destroy = destroy;
    onSocket.call(request, socket, error);
  };
  own.destroy = (error) => {
    if (hasEnded) return request;
    hasEnded = true;
    destroy.call(request, error);
    onSocket.call(request, null);
    listener();
    return request;
  };
}

/** Ends a request without a socket: after `destroy` alone it would go on waiting for one. */
export function endWithoutSocket(request: ClientRequest, error: Error): void {
  (request as unknown as RequestInternals).onSocket(null, error);
  request.destroy(error);
}

function handBack(socket: Duplex | null, error: Error | undefined): void {
  if (socket === null || socket === undefined || socket.destroyed) return;
  if (error === undefined || error === null) socket.emit("free");
  else socket.destroy(error);
}
