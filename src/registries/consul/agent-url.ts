import { checkFlag, checkNumber, checkText, refuse } from "./option-checks.ts";

/** The four options that say where an agent is. */
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
    if (address[other] !== undefined) refuse(other, address[other], "absent when url is given");
  }
  if (typeof url !== "string" || !URL.canParse(url)) refuse("url", url, "a URL such as http://127.0.0.1:8500");
  const parsed = new URL(url);
  // The value is not shown: it holds a password.
  if (parsed.username !== "" || parsed.password !== "") throw new TypeError('consul: option "url" must not hold credentials; use token');
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:") refuse("url", url, "an http or https URL");
  if (parsed.search !== "" || parsed.hash !== "") refuse("url", url, "a URL without query and fragment");
  return `${parsed.origin}${parsed.pathname.replace(/\/+$/, "")}`;
}

function joinUrl(host = "127.0.0.1", port = 8500, secure = false): string {
  checkText("host", host);
  checkNumber("port", port, 1, 65_535);
  const scheme = checkFlag("secure", secure) ? "https" : "http";
  const url = `${scheme}://${host.includes(":") && !host.startsWith("[") ? `[${host}]` : host}:${port}`;
  // A host with a slash, an @ or a port of its own would make another URL than it looks like.
  if (/[\s/\\@?#%]/.test(host) || !URL.canParse(url)) refuse("host", host, "a host name or an IP address");
  return url;
}
