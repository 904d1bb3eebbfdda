import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls, TLSSocket } from "node:tls";
import { addressOf, type Endpoint } from "../../core/endpoint.ts";
import { describeError } from "../../core/errors.ts";
import { verifyNames } from "../../identity/verify-peer.ts";
import type { TlsFiles } from "../registry/tls-files.ts";
import { type Finding, fail, ok, warn } from "./finding.ts";

/** Settings of {@link instanceFindings}. */
export interface InstanceCheck {
  /** The `tls` that a mesh would be given. */
  readonly tls: TlsFiles;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Instances that are tried: a check is no scan of a network. */
const maxTried = 20;
/** Named in one finding. */
const maxNamed = 3;

/** Connects to the instances of a service, over TLS where discovery says that they have it. Nothing is sent to them. */
export async function instanceFindings(endpoints: readonly Endpoint[], options: InstanceCheck): Promise<readonly Finding[]> {
  const tried = endpoints.slice(0, maxTried);
  const errors = await Promise.all(tried.map((endpoint) => connectionError(endpoint, options)));
  options.signal.throwIfAborted();
  const failed = tried.flatMap((endpoint, index) => {
    const error = errors[index];
    return error === undefined ? [] : [{ address: addressOf(endpoint), error }];
  });
  const of = tried.length < endpoints.length ? `the first ${tried.length} of ${endpoints.length}` : `${tried.length}`;
  const how = tried.some(({ secure }) => secure === true) ? "connections, with TLS where they are secure" : "connections";
  if (failed.length === 0) return [ok("instances", tried.length === 1 ? `it accepts ${how}` : `${of} accept ${how}`)];
  const named = failed.slice(0, maxNamed).map(({ address, error }) => `${address} (${error})`);
  const more = failed.length > named.length ? `, and ${failed.length - named.length} more` : "";
  const message = `${failed.length} of ${of} cannot be connected to: ${named.join(", ")}${more}`;
  const fix = "check that they run and listen at that address, firewalls, and for TLS --tls-ca and --tls-server-name";
  return [failed.length === tried.length ? fail("instances", message, fix) : warn("instances", message, fix)];
}

/** Why no connection can be made; `undefined` where one can. */
function connectionError(endpoint: Endpoint, { tls, timeoutMs, signal }: InstanceCheck): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = open(endpoint, tls);
    const end = (error: string | undefined): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      resolve(error);
      socket.destroy();
    };
    const onAbort = (): void => end("stopped");
    const timer = setTimeout(() => end(`no connection within ${timeoutMs} ms`), timeoutMs);
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once(endpoint.secure === true ? "secureConnect" : "connect", () => end(peerFault(socket, endpoint)));
    // Also after the end: a reset that comes late.
    socket.on("error", (error) => end(describeError(error)));
    if (signal.aborted) onAbort();
  });
}

/** Why the other end is not the one that discovery lists; `undefined` where it is, and where nothing of it is listed. */
function peerFault(socket: Socket, { peer }: Endpoint): string | undefined {
  if (peer === undefined || !(socket instanceof TLSSocket)) return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return "it shows no certificate";
  try {
    verifyNames(certificate, { listedId: peer.id });
    return undefined;
  } catch (error) {
    return describeError(error);
  }
}

function open({ host, port, socketPath, secure, peer }: Endpoint, { ca, cert, key, servername }: TlsFiles): Socket {
  const at = socketPath === undefined ? { host, port } : { path: socketPath };
  if (secure !== true) return connect(at);
  const name = servername ?? peer?.serverName ?? host;
  return connectTls({
    ...at,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    // Known by its id, once the chain is verified.
    ...(peer === undefined ? {} : { checkServerIdentity: () => undefined }),
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    rejectUnauthorized: true,
  });
}
