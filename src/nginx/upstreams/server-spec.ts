import { isIP } from "node:net";
import { quoted } from "../../core/text/clean-text.ts";
import { type Directive, faultOf, type Word } from "../grammar/directive.ts";
import { numberOf, timeOf } from "../reading/values.ts";
import type { ServerSpec } from "./upstream-spec.ts";

const maxWeight = 65_535;

/** A server that is being read. */
type ServerDraft = { -readonly [Key in keyof ServerSpec]: ServerSpec[Key] };

/** A server without parameters. */
export function plainServer(directive: Directive, address: ReturnType<typeof addressOf>): ServerDraft {
  return { ...address, weight: 1, maxConnections: 0, maxFails: 1, failTimeoutMs: 10_000, isBackup: false, isDown: false, directive };
}

/** Reads `server ADDRESS PARAMETERS` of an upstream. */
export function serverSpec(directive: Directive): ServerSpec {
  const [address, ...parameters] = directive.args;
  if (address === undefined) throw faultOf(directive, "it needs an address: server app.internal:8080;");
  const server = plainServer(directive, addressOf(directive, address, address.text, 80));
  for (const word of parameters) {
    const at = word.text.indexOf("=");
    const [name, value] = at === -1 ? [word.text, ""] : [word.text.slice(0, at), word.text.slice(at + 1)];
    if (name === "weight") server.weight = numberOf(directive, value, word, [1, maxWeight], "weight");
    else if (name === "max_conns") server.maxConnections = numberOf(directive, value, word, [0, 1_000_000_000], "max_conns");
    else if (name === "max_fails") server.maxFails = numberOf(directive, value, word, [0, 1_000_000_000], "max_fails");
    else if (name === "fail_timeout") server.failTimeoutMs = timeOf(directive, word, value);
    else if (word.text === "backup") server.isBackup = true;
    else if (word.text === "down") server.isDown = true;
    else if (["resolve", "service", "route", "slow_start", "drain"].includes(name))
      throw faultOf(directive, `${name} is of a newer or commercial nginx, and not supported`, word.place);
    else
      throw faultOf(
        directive,
        `it has no parameter ${quoted(word.text)}; there are weight, max_conns, max_fails, fail_timeout, backup and down`,
        word.place,
      );
  }
  return server;
}

/** Reads `host:port`, `host`, `[::1]:80` or `unix:/path`. */
export function addressOf(
  directive: Directive,
  word: Word,
  text: string,
  defaultPort: number,
): Pick<ServerSpec, "server" | "host" | "port" | "socketPath"> {
  const fault = (problem: string) => faultOf(directive, `${quoted(text)}: ${problem}`, word.place);
  if (text.includes("$")) throw fault("an address has no variables here");
  if (/^unix:/i.test(text)) {
    const socketPath = text.slice(5);
    if (!socketPath.startsWith("/")) throw fault("the path of a socket begins with /");
    return { server: text, host: "localhost", port: defaultPort, socketPath };
  }
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/]+))(?::(\d+))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || host === "" || (bracketed !== undefined && isIP(bracketed) !== 6)) throw fault("it is no host:port");
  const number = port === undefined ? defaultPort : Number(port);
  if (number < 1 || number > 65_535) throw fault("the port must be from 1 to 65535");
  return { server: text, host, port: number, socketPath: undefined };
}
