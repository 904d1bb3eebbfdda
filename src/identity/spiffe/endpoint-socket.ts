import { isIP } from "node:net";
import { cleanText } from "../../core/text/clean-text.ts";

/** The variable of the environment that names the socket of the agent. */
const variable = "SPIFFE_ENDPOINT_SOCKET";

/**
 * The address of an agent as gRPC writes it, out of the one of an option or else of `SPIFFE_ENDPOINT_SOCKET`: `unix:///absolute/path` or
 * `tcp://IP:PORT` (SPIFFE Workload Endpoint §4).
 * @throws TypeError naming where the address is from, for another form and where there is none.
 */
export function targetOf(option: string, given: string | undefined, environment: NodeJS.ProcessEnv): string {
  const text = given ?? environment[variable];
  const from = given === undefined ? variable : option;
  if (text === undefined || text === "")
    throw new TypeError(
      `${option} is not given, and ${variable} is not set: one of them says where the agent is, as unix:///run/spire/agent.sock`,
    );
  const target = text.startsWith("unix:") ? unixTarget(text) : text.startsWith("tcp://") ? tcpTarget(text.slice(6)) : undefined;
  if (target === undefined) throw new TypeError(`${from} must be unix:///absolute/path or tcp://IP:PORT, not "${cleanText(text)}"`);
  return target;
}

function unixTarget(text: string): string | undefined {
  const path = text.startsWith("unix:///") ? text.slice(7) : text.slice(5);
  return /^\/[^/?#]/.test(path) && !/[?#\0]/.test(path) ? `unix:${path}` : undefined;
}

function tcpTarget(text: string): string | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:/?#@]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || isIP(host) !== (bracketed === undefined ? 4 : 6)) return undefined;
  return Number(port) >= 1 && Number(port) <= 65_535 ? text : undefined;
}
