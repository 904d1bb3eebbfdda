import { type Clock, systemClock } from "../../core/clock.ts";
import { describeError } from "../../core/errors.ts";
import { type Answer, readAnswer } from "./answer.ts";
import { type ExchangeLimits, exchangeByTcp, exchangeByUdp } from "./exchange.ts";
import { encodeQuery, type QueryType, type Reply, rcodeName } from "./message.ts";
import { foldName } from "./name.ts";
import type { DnsServer } from "./server.ts";

/** Asks for the records of a fully qualified name. Rejects with a `DnsError`, or with `signal.reason` on abort. */
export type Resolve = (name: string, type: QueryType, signal: AbortSignal) => Promise<Answer>;

/** No server gave an answer; the message says which server did what. Never means that the name does not exist. */
export class DnsError extends Error {
  override readonly name = "DnsError";
}

/** What a {@link resolver} needs. */
export interface ResolverOptions {
  /** Asked before each query, so that a changed system configuration is seen. */
  readonly servers: () => readonly DnsServer[];
  /** For one try of one server, in milliseconds. */
  readonly timeoutMs: number;
  /** How often each server is asked before the query has failed. */
  readonly maxAttempts: number;
  readonly clock?: Clock;
}

/**
 * A stub resolver: asks its servers in turn, each again by TCP where the answer was cut off, and begins with the one that
 * answered last. An error of one server (SERVFAIL, REFUSED, silence, …) is a reason to ask the next, not an answer.
 */
export function resolver({ servers, timeoutMs, maxAttempts, clock = systemClock }: ResolverOptions): Resolve {
  let preferred: string | undefined;
  return async (name, type, signal) => {
    const limits = { clock, timeoutMs, signal };
    const problems = new Map<string, unknown>();
    const list = servers();
    const first = Math.max(
      0,
      list.findIndex((server) => server.label === preferred),
    );
    for (let attempt = 0; attempt < maxAttempts * list.length; attempt++) {
      const server = list[(first + attempt) % list.length] as DnsServer;
      try {
        const answer = await askServer(server, name, type, limits);
        preferred = server.label;
        return answer;
      } catch (error) {
        if (signal.aborted) throw error;
        problems.set(server.label, error);
      }
    }
    const details = [...problems].map(([label, error]) => `${label} ${describeError(error)}`);
    throw new DnsError(`no answer for ${foldName(name)} ${type} (${details.join("; ") || "no DNS server is configured"})`, {
      cause: [...problems.values()].at(-1),
    });
  };
}

async function askServer(server: DnsServer, name: string, type: QueryType, limits: ExchangeLimits): Promise<Answer> {
  let reply = await exchange(server, name, type, true, limits);
  // FORMERR and NOTIMP are how servers from before EDNS refuse it (RFC 6891 §7).
  if (reply.rcode === 1 || reply.rcode === 4) reply = await exchange(server, name, type, false, limits);
  const { rcode, packet } = reply;
  const isNxdomain = rcode === 3;
  if (rcode !== 0 && !isNxdomain) throw new Error(`answered ${rcodeName(rcode)}`);
  if (packet === undefined) throw new Error("answered by TCP, but cut off");
  const answer = readAnswer(packet, isNxdomain, name, type);
  if (typeof answer === "string") throw new Error(`answered with ${answer}`);
  return answer;
}

async function exchange(server: DnsServer, name: string, type: QueryType, edns: boolean, limits: ExchangeLimits): Promise<Reply> {
  const reply = await exchangeByUdp(server, encodeQuery(name, type, edns), limits);
  return reply.truncated ? exchangeByTcp(server, encodeQuery(name, type, edns), limits) : reply;
}
