import { isIP } from "node:net";
import { quoted } from "../../core/text/clean-text.ts";
import { type Directive, faultOf } from "../grammar/directive.ts";
import type { Level } from "../reading/level.ts";

/** An address that a server listens on. */
export interface ListenAddress {
  /** As `listen` has it, with the defaults: `*:80`, `127.0.0.1:8080`, `[::]:443`, `unix:/run/x.sock`. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly isDefault: boolean;
  readonly isSecure: boolean;
}

const parameters =
  /^(?:default_server|default|ssl|http2|spdy|quic|proxy_protocol|bind|deferred|reuseport|(?:setfib|fastopen|backlog|rcvbuf|sndbuf|accept_filter|ipv6only|so_keepalive)=.*)$/;

/** The addresses that a server listens on; `*:80` where it says none. */
export function listenAddresses(level: Level): readonly ListenAddress[] {
  const directives = level.own("listen");
  if (directives.length === 0) return [{ address: "*:80", host: "*", port: 80, isDefault: false, isSecure: false }];
  const isSecure = level.ownOne("ssl")?.args[0]?.text === "on";
  return directives.map((directive) => listenAddress(directive, isSecure));
}

function listenAddress(directive: Directive, isSecure: boolean): ListenAddress {
  const [word, ...rest] = directive.args;
  if (word === undefined) throw faultOf(directive, "it needs an address or a port");
  for (const { text, place } of rest) {
    if (!parameters.test(text)) throw faultOf(directive, `it has no parameter ${quoted(text)}`, place);
    if (text === "proxy_protocol" || text === "quic") throw faultOf(directive, `${text} is not supported`, place);
  }
  const isDefault = rest.some(({ text }) => text === "default_server" || text === "default");
  const secure = isSecure || rest.some(({ text }) => text === "ssl");
  const { text } = word;
  if (/^unix:\//.test(text)) return { address: text, host: text, port: 0, isDefault, isSecure: secure };
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(/^\d+$/.test(text) ? `*:${text}` : text) ?? [];
  const host = bracketed ?? (plain === "" ? "*" : plain);
  const port = digits === undefined ? 80 : Number(digits);
  if (host === undefined || port < 1 || port > 65_535 || (bracketed !== undefined && isIP(bracketed) !== 6))
    throw faultOf(directive, `${quoted(text)} is no address such as 80, 127.0.0.1:8080, [::]:80 or unix:/path`, word.place);
  const shown = bracketed === undefined ? host : `[${bracketed}]`;
  return { address: `${shown}:${port}`, host, port, isDefault, isSecure: secure };
}
