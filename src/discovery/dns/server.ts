import { isIP } from "node:net";

/** A DNS server. */
export interface DnsServer {
  /** An IP address. */
  readonly host: string;
  /** 1–65535. */
  readonly port: number;
  readonly family: 4 | 6;
  /** Its address in messages: `127.0.0.1:53`, `[::1]:53`. */
  readonly label: string;
}

const defaultPort = 53;

/**
 * Reads `127.0.0.1`, `127.0.0.1:8600`, `::1` or `[::1]:8600`, the forms of `dns.getServers()`. Returns `undefined` for anything else: a
 * server has to be an address, since no resolver is there yet to look up a name.
 */
export function parseServer(text: string): DnsServer | undefined {
  const bare = isIP(text);
  if (bare !== 0) return server(text, defaultPort, bare);
  const match = /^(?:\[([^\]]+)\]|([\d.]+))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const [, host6, host4, portText] = match;
  const host = host6 ?? host4 ?? "";
  const family = isIP(host);
  const port = portText === undefined ? defaultPort : Number(portText);
  if (family !== (host6 === undefined ? 4 : 6) || port < 1 || port > 65_535) return undefined;
  return server(host, port, family);
}

function server(host: string, port: number, family: number): DnsServer {
  return family === 6 ? { host, port, family: 6, label: `[${host}]:${port}` } : { host, port, family: 4, label: `${host}:${port}` };
}
