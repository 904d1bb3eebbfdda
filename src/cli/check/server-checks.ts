import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { connect } from "node:tls";
import { describeError } from "../../core/errors.ts";
import type { TlsFiles } from "../registry/tls-files.ts";
import { type Limits, limited } from "../wait.ts";
import { expiryFinding } from "./certificate-checks.ts";
import { type Finding, fail, ok } from "./finding.ts";

/** Checks that the name of a server has addresses; no finding for an IP address. */
export async function* nameFindings(url: URL, limits: Limits): AsyncGenerator<Finding, void, undefined> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0) return;
  try {
    const found = await limited(lookup(host, { all: true }), limits);
    yield ok("dns", `${host} is ${found.map(({ address }) => address).join(", ")}`);
  } catch (error) {
    limits.signal.throwIfAborted();
    yield fail("dns", `${host} has no address (${describeError(error)})`, "check the name, /etc/resolv.conf and /etc/hosts");
  }
}

const advice: ReadonlyMap<string, string> = new Map([
  ["CERT_HAS_EXPIRED", "renew it"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "give its authority with --registry-ca"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "give its authority with --registry-ca"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "give its authority with --registry-ca"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "give its authority with --registry-ca"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "ask by a name that is in the certificate, or say which one to expect with --registry-server-name"],
]);

/** Checks the certificate of a server: trust, name and expiry. Only a handshake: no request goes to a server that may be another one. */
export async function* serverCertificateFindings(
  url: URL,
  { ca, cert, key, servername }: TlsFiles,
  { timeoutMs, signal }: Limits,
): AsyncGenerator<Finding, void, undefined> {
  if (url.protocol !== "https:") return;
  const check = "certificate";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const name = servername ?? host;
  const finding = await new Promise<Finding | readonly Finding[]>((resolve) => {
    const socket = connect({
      host,
      port: url.port === "" ? 443 : Number(url.port),
      ...(isIP(name) === 0 ? { servername: name } : {}),
      ...(ca && { ca }),
      ...(cert && { cert }),
      ...(key && { key }),
      // So that an untrusted certificate can be inspected.
      rejectUnauthorized: false,
    });
    const end = (result: Finding | readonly Finding[]): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onEnd);
      resolve(result);
      socket.destroy();
    };
    const onEnd = (): void => end(fail(check, "no TLS handshake in time", "check that the port speaks HTTPS"));
    const timer = setTimeout(onEnd, timeoutMs);
    signal.addEventListener("abort", onEnd, { once: true });
    if (signal.aborted) onEnd();
    socket.on("error", (error) =>
      end(
        fail(check, `no TLS handshake (${describeError(error)})`, "check that the port speaks HTTPS, and whether it wants --registry-cert"),
      ),
    );
    socket.once("secureConnect", () => {
      const peer = socket.getPeerX509Certificate();
      if (peer === undefined) return end(fail(check, "the server shows no certificate", "check its configuration"));
      const isNamed = isIP(name) === 0 ? peer.checkHost(name) !== undefined : peer.checkIP(name) !== undefined;
      const error: unknown = socket.authorizationError;
      const code = error instanceof Error ? ((error as { code?: string }).code ?? error.message) : String(error ?? "");
      const trust = !socket.authorized
        ? fail(check, `it is not trusted (${code})`, advice.get(code) ?? "check the chain of the certificate")
        : isNamed
          ? ok(check, `it is trusted, and names ${name}`)
          : fail(check, `it does not name ${name}`, advice.get("ERR_TLS_CERT_ALTNAME_INVALID") ?? "");
      end([trust, expiryFinding(check, peer, Date.now())]);
    });
  });
  signal.throwIfAborted();
  yield* [finding].flat();
}
