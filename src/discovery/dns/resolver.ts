import { type Clock, systemClock } from "../../core/clock.ts";
import { describeError } from "../../core/errors.ts";
import { type Answer, readAnswer } from "./answer.ts";
import { encodeQuery, payloadLimit, type QueryType, type Reply, rcodeName } from "./message.ts";
import { foldName } from "./name.ts";
import type { Transport } from "./options.ts";
import { PartialAnswers } from "./partial-answers.ts";
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
  /** Default `auto`. */
  readonly transport?: Transport;
  readonly clock?: Clock;
}

/**
 * A stub resolver. It asks its servers in turn, beginning with the one that answered last, and repeats a query by TCP where the answer was
 * truncated, or seems to be a part of the truth. An error of one server (SERVFAIL, REFUSED, a timeout, …) makes it ask the next one; it is no answer.
 */
export function resolver(options: ResolverOptions): Resolve {
  const { servers, timeoutMs, maxAttempts, transport = "auto", clock = systemClock } = options;
  const partial = new PartialAnswers(clock);
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
        const question = { server, name, type, limits };
        const answer = transport === "tcp" ? await ask(question, queryByTcp) : await askWhole(question, partial);
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

/** One question to one server. */
interface Question {
  readonly server: DnsServer;
  readonly name: string;
  readonly type: QueryType;
  readonly limits: QueryLimits;
}

type Send = typeof queryByUdp;

/** Asks by UDP, and by TCP where UDP gives a part. Where TCP does not work, a part is better than nothing. */
async function askWhole(question: Question, partial: PartialAnswers): Promise<Answer> {
  const { server, name, type, limits } = question;
  const key = `${server.label} ${type} ${foldName(name)}`;
  if (partial.isPartial(key)) {
    try {
      return await ask(question, queryByTcp);
    } catch (error) {
      if (limits.signal.aborted) throw error;
      partial.forget(key);
    }
  }
  let isSuspect = false;
  const answer = await ask(question, queryWithFallback, (part, length, limit) => {
    isSuspect = partial.isSuspect(key, part, length, limit);
  });
  if (!isSuspect || answer.kind !== "records") return answer;
  const whole = await ask(question, queryByTcp).catch(() => undefined);
  limits.signal.throwIfAborted();
  const records = whole?.kind === "records" ? whole : undefined;
  partial.compared(key, answer, records);
  return records ?? answer;
}

/** Asks by one transport. `onPart` is told of records that came by UDP, with the length of their message and the largest possible. */
async function ask(
  question: Question,
  send: Send,
  onPart?: (answer: Extract<Answer, { kind: "records" }>, length: number, limit: number) => void,
): Promise<Answer> {
  const { server, name, type, limits } = question;
  let edns = true;
  let reply = await send(server, encodeQuery(name, type, edns), limits);
  // Servers without EDNS refuse it with FORMERR or NOTIMP (RFC 6891 §7).
  if (reply.rcode === 1 || reply.rcode === 4) {
    edns = false;
    reply = await send(server, encodeQuery(name, type, edns), limits);
  }
  const { rcode, packet, length } = reply;
  const isNxdomain = rcode === 3;
  if (rcode !== 0 && !isNxdomain) throw new Error(`answered ${rcodeName(rcode)}`);
  if (packet === undefined) throw new Error("answered by TCP, but cut off");
  const answer = readAnswer(packet, isNxdomain, name, type);
  if (typeof answer === "string") throw new Error(`answered with ${answer}`);
  // What did not fit a datagram came by TCP.
  const limit = payloadLimit(edns);
  if (answer.kind === "records" && length <= limit) onPart?.(answer, length, limit);
  return answer;
}

async function queryWithFallback(...[server, query, limits]: Parameters<Send>): Promise<Reply> {
  const reply = await queryByUdp(server, query, limits);
  if (!reply.truncated) return reply;
  // A new id, since the first one has been seen on the network.
  return queryByTcp(server, encodeQuery(query.name, query.type, query.edns), limits);
}
