import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import type { CheckedCredentials } from "../../identity/checked-credentials.ts";
import type { Identity } from "../../identity/identity.ts";
import { PeerRefused } from "../../identity/peer-refused.ts";
import { shownCertificates } from "../../identity/shown-certificates.ts";
import type { CallersSettings } from "./callers-options.ts";
import { noteVerified } from "./verified-peer.ts";

/** The parts of one handshake. */
export interface HandshakeParts {
  readonly identity: Identity;
  readonly settings: CallersSettings;
  /** The protocols of the server, in the order of its preference. */
  readonly alpn: readonly string[];
}

/** Takes the secured connection, or the reason for which there is none. */
export type Handshaken = (...result: [error: null, socket: TLSSocket] | [error: Error, socket: null]) => void;

/** Parts of a connection that Node uses in its own server only. */
interface Handle {
  _releaseControl?(): boolean;
  /** The fault that OpenSSL has found in the client's chain. */
  readonly _handle?: { verifyError?(): Error | null | undefined } | null;
}

const contexts = new WeakMap<CheckedCredentials, Map<string, SecureContext>>();

/**
 * Makes the TLS handshake of a server on a connection. The client must show a certificate; its chain, with the constraints of names, is held by OpenSSL,
 * and then judged as {@link Identity.verifyPeer} judges it, before a byte of a request is read. Calls `done` once; the connection is destroyed where it fails.
 */
export function shakeHands(socket: Socket, { identity, settings, alpn }: HandshakeParts, done: Handshaken): void {
  let secured: TLSSocket;
  try {
    const secureContext = contextFor(identity.current(), settings.minVersion);
    secured = new TLSSocket(socket, {
      isServer: true,
      secureContext,
      requestCert: true,
      rejectUnauthorized: true,
      ALPNProtocols: [...alpn],
    });
  } catch (error) {
    socket.destroy();
    done(error as Error, null);
    return;
  }
  let isOver = false;
  const fail = (error: Error): void => {
    if (isOver) return;
    isOver = true;
    secured.destroy();
    done(error, null);
  };
  // It stays where the handshake fails: a second error may come.
  const onError = (error: Error): void => fail(error);
  const onClose = (): void => fail(new Error("the connection was closed during the TLS handshake"));
  const onSecure = (): void => {
    if (isOver) return;
    try {
      verify(secured, identity);
    } catch (error) {
      fail(error as Error);
      return;
    }
    isOver = true;
    secured.off("close", onClose);
    done(null, secured);
    // Its new owner has put its own in the place of it.
    secured.off("error", onError);
  };
  secured.on("error", onError);
  secured.once("close", onClose);
  secured.once("secure", onSecure);
}

/** @throws PeerRefused, IdentityUnavailable */
function verify(socket: TLSSocket, identity: Identity): void {
  const handle = (socket as unknown as Handle)._handle;
  if (typeof handle?.verifyError !== "function")
    throw new PeerRefused("certificate", "this version of Node.js does not tell whether it was verified");
  const problem = handle.verifyError();
  if (problem) throw new PeerRefused("authority", problem.message);
  const { leaf, shown } = shownCertificates(socket);
  noteVerified(socket, identity.verifyPeer(leaf, shown, {}));
  socket.authorized = true;
  // As the server of Node.js does: HTTP/2 waits for the one, and errors of TLS that come later end the connection by the other.
  Object.assign(socket, { secureConnecting: false });
  (socket as unknown as Handle)._releaseControl?.();
}

/** The secure context of a server. Sessions are not resumed: a resumed one shows no chain to judge. */
function contextFor(credentials: CheckedCredentials, minVersion: CallersSettings["minVersion"]): SecureContext {
  let known = contexts.get(credentials);
  if (known === undefined) {
    known = new Map();
    contexts.set(credentials, known);
  }
  let context = known.get(minVersion);
  if (context === undefined) {
    const { certificate, key } = credentials.credentials;
    context = createSecureContext({
      cert: certificate,
      key,
      ca: [...credentials.authorities],
      minVersion,
      allowPartialTrustChain: true,
      secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    });
    known.set(minVersion, context);
  }
  return context;
}
