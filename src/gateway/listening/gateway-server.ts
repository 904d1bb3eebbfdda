import { createServer, type ServerOptions } from "node:http";
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from "node:http2";
import type { Server } from "node:net";
import type { Duplex } from "node:stream";
import type { NodeServer, ServerReply, ServerRequest } from "../../server/node-server.ts";
import { Certificates } from "./certificates.ts";
import { limitClients } from "./client-connections.ts";
import type { GatewayListenSettings } from "./listen-options.ts";

/** The listeners of a gateway. */
export interface GatewayListeners {
  readonly handle: (request: ServerRequest, reply: ServerReply) => void;
  readonly upgrade: (request: ServerRequest, socket: Duplex, head: Buffer) => void;
  readonly wantsSwitch: (request: ServerRequest) => boolean;
}

/** The most streams that a client has open on one connection. */
const maxStreams = 128;

/** Makes a server for a gateway and lets it listen. Resolves when it does; rejects for a certificate that cannot be used, and a port that cannot be had. */
export async function listenAs(listeners: GatewayListeners, settings: GatewayListenSettings): Promise<NodeServer> {
  const { certificates, host, port, maxConnections, maxConnectionsPerClient } = settings;
  const { server, ready, close } = certificates.length === 0 ? plainServer(listeners, settings) : secureServer(listeners, settings);
  const own = server as unknown as Server;
  // Also where the client waits for the word to send its body: the gateway says it, once it has let the request pass.
  own.on("checkContinue", listeners.handle).on("upgrade", listeners.upgrade);
  if (maxConnections !== false) own.maxConnections = maxConnections;
  if (maxConnectionsPerClient !== false) limitClients(own, maxConnectionsPerClient);
  own.once("close", close);
  try {
    await ready;
    await new Promise<void>((resolve, reject) => {
      own.once("error", reject).listen(port, host, () => {
        own.off("error", reject);
        resolve();
      });
    });
  } catch (error) {
    close();
    throw error;
  }
  return server;
}

interface Made {
  readonly server: NodeServer;
  readonly ready: Promise<void>;
  readonly close: () => void;
}

/** The options of HTTP/1.1. The body of a request has a limit of its own, from part to part. */
function http1Options(
  { headTimeoutMs, idleTimeoutMs, maxHeadBytes }: GatewayListenSettings,
  { wantsSwitch }: GatewayListeners,
): ServerOptions {
  return {
    headersTimeout: headTimeoutMs,
    requestTimeout: 0,
    keepAliveTimeout: idleTimeoutMs,
    connectionsCheckingInterval: Math.max(100, Math.min(5_000, headTimeoutMs / 2)),
    maxHeaderSize: maxHeadBytes,
    // What is not changed to is a request like any other: Java's client asks for h2c in each first one.
    shouldUpgradeCallback: wantsSwitch,
  } as ServerOptions;
}

function plainServer(listeners: GatewayListeners, settings: GatewayListenSettings): Made {
  return { server: createServer(http1Options(settings, listeners), listeners.handle), ready: Promise.resolve(), close: () => {} };
}

function secureServer(listeners: GatewayListeners, settings: GatewayListenSettings): Made {
  const http1 = http1Options(settings, listeners);
  const server: Http2SecureServer = createSecureServer(
    {
      ...http1,
      allowHTTP1: true,
      http1Options: http1,
      handshakeTimeout: settings.headTimeoutMs,
      minVersion: "TLSv1.2",
      settings: { maxConcurrentStreams: maxStreams, maxHeaderListSize: settings.maxHeadBytes },
      SNICallback: (name: string, done: (error: Error | null, context?: never) => void) => done(null, certificates.for(name) as never),
    } as never,
    listeners.handle,
  );
  const certificates = new Certificates(settings.certificates, ({ certificate, key }) =>
    server.setSecureContext({ cert: certificate, key, minVersion: "TLSv1.2" }),
  );
  server.on("session", (session) => endWhenIdle(session, settings.idleTimeoutMs));
  return { server, ready: certificates.ready, close: () => certificates.close() };
}

/** Ends a session of HTTP/2 that has had no stream for so long. */
function endWhenIdle(session: ServerHttp2Session, idleMs: number): void {
  let open = 0;
  session.on("stream", (stream) => {
    open++;
    stream.once("close", () => open--);
  });
  session.setTimeout(idleMs, () => {
    if (open === 0) session.close();
  });
}
