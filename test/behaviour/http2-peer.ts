import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { onTestFinished } from "vitest";
import { acceptHttp2, type PeerConnection, type StreamListener } from "./http2-connection.ts";

export { errorCode, type PeerConnection } from "./http2-connection.ts";

export interface Http2Peer {
  readonly port: number;
  readonly connections: PeerConnection[];
}

/**
 * A peer that speaks HTTP/2 frame by frame, for what a server made by `node:http2` never does. It answers SETTINGS and PING, and tells
 * `onRequest` of each stream that has arrived whole, `onHead` of each that has begun.
 */
export async function servePeer(onRequest: StreamListener, maxStreams?: number, onHead?: StreamListener): Promise<Http2Peer> {
  const connections: PeerConnection[] = [];
  const server = createServer((socket) => {
    connections.push(acceptHttp2(socket, onRequest, maxStreams, onHead));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const { socket } of connections) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, connections };
}
