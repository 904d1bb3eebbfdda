import { type Clock, systemClock } from "../../core/clock.ts";
import { describeError } from "../../core/errors.ts";
import { type Answer, readAnswer } from "./answer.ts";
import { encodeQuery, type QueryType, type Reply, rcodeName } from "./message.ts";
import { foldName } from "./name.ts";
import type { DnsServer } from "./server.ts";
import { type QueryLimits, queryByTcp, queryByUdp } from "./udp-and-tcp.ts";

/** Queries the records of a fully qualified name. Rejects with a {@link DnsError}, or with `signal.reason` on abort. */
export type Resolve = (name: string, type: QueryType, signal: AbortSignal) => Promise<Answer>;

/** No server gave an answer; the message lists the servers with the reasons. It never means that the name does not exist. */
export class DnsError extends Error {
  override readonly name = "DnsError";
}

/** Options of a {@link resolver}. */
export interface ResolverOptions {
  /** Called before each query, so that a change of the system configuration is seen. */
  readonly servers: () => readonly DnsServer[];
  /** Time for one attempt at one server, in milliseconds. */
  readonly timeoutMs: number;
  /** Attempts at each server before the query fails. */
  readonly maxAttempts: number;
  readonly clock?: Clock;
}

/**
 * A stub resolver. It asks its servers in turn, beginning with the one that answered last, and repeats a query by TCP where the answer was
 * truncated. An error of one server (SERVFAIL, REFUSED, a timeout, …) makes it ask the next one; it is no answer.
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

async function askServer(server: DnsServer, name: string, type: QueryType, limits: QueryLimits): Promise<Answer> {
  let reply = await query(server, name, type, true, limits);
  // Servers without EDNS refuse it with FORMERR or NOTIMP (RFC 6891 §7).
  if (reply.rcode === 1 || reply.rcode === 4) reply = await query(server, name, type, false, limits);
  const { rcode, packet } = reply;
  const isNxdomain = rcode === 3;
  if (rcode !== 0 && !isNxdomain) throw new Error(`answered ${rcodeName(rcode)}`);
  if (packet === undefined) throw new Error("answered by TCP, but cut off");
  const answer = readAnswer(packet, isNxdomain, name, type);
  if (typeof answer === "string") throw new Error(`answered with ${answer}`);
  return answer;
}

async function query(server: DnsServer, name: string, type: QueryType, edns: boolean, limits: QueryLimits): Promise<Reply> {
  const reply = await queryByUdp(server, encodeQuery(name, type, edns), limits);
  return reply.truncated ? queryByTcp(server, encodeQuery(name, type, edns), limits) : reply;
}
