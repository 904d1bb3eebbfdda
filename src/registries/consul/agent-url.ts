import { withoutTrailingSlashes } from "../../core/http/without-trailing-slashes.ts";
import { checkFlag, checkInteger, checkText, refuseOption } from "../../core/settings/checks.ts";

/** The options for the address of an agent. */
export interface AgentAddress {
  readonly url?: string;
  readonly host?: string;
  readonly port?: number;
  readonly secure?: boolean;
}

/** The base URL of an agent's API, without the final slash; throws a `TypeError` or `RangeError` that names option and value. */
export function agentUrl(address: AgentAddress): string {
  const { url, host, port, secure } = address;
  if (url === undefined) return joinUrl(host, port, secure);
  for (const other of ["host", "port", "secure"] as const) {
    if (address[other] !== undefined) refuseOption(`consul: ${other}`, address[other], "absent when url is given");
  }
  // The value is not shown: a part before an @ may be a password, wherever the parser finds it, and a query may hold a token.
  if (typeof url === "string" && url.includes("@")) throw new TypeError("consul: url must not hold credentials; use token");
  if (typeof url === "string" && /[?#]/.test(url)) throw new TypeError("consul: url must have neither a query nor a fragment");
  if (typeof url !== "string" || !URL.canParse(url)) refuseOption("consul: url", url, "a URL such as http://127.0.0.1:8500");
  const parsed = new URL(url);
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:") refuseOption("consul: url", url, "an http or https URL");
  return `${parsed.origin}${withoutTrailingSlashes(parsed.pathname)}`;
}

function joinUrl(host = "127.0.0.1", port = 8500, secure = false): string {
  checkText("consul: host", host);
  checkInteger("consul: port", port, 1, 65_535);
  checkFlag("consul: secure", secure);
  const scheme = secure ? "https" : "http";
  const url = `${scheme}://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
  // A host with a slash, an @ or a port would give another URL than it appears to.
  if (/[\s/\\@?#%]/.test(host) || !URL.canParse(url)) refuseOption("consul: host", host, "a host name or an IP address");
  return url;
}
