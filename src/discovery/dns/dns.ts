import { systemClock } from "../../core/clock.ts";
import { addressOf, type Endpoint } from "../../core/endpoint.ts";
import { describeError, MeshError } from "../../core/errors.ts";
import { quoted } from "../../core/text/clean-text.ts";
import type { Discovery } from "../discovery.ts";
import { Notifier } from "../notifier.ts";
import { pauseUnlessNotified } from "../pause.ts";
import { RefreshListeners } from "../refresh-listeners.ts";
import { keepIfSame } from "../same-endpoints.ts";
import { type AddressQuery, findAddresses } from "./addresses.ts";
import { plainName } from "./name.ts";
import { addressTypes, checkOptions, type DnsOptions, nameOption, serversOption } from "./options.ts";
import { resolver } from "./resolver.ts";
import { type Found, Rounds } from "./rounds.ts";
import { refreshDelayMs } from "./schedule.ts";
import { SecondAnswer } from "./second-answer.ts";
import { findServices } from "./services.ts";
import { UnusableRecords } from "./unusable-records.ts";

export type { DnsOptions };

/** Longest time until a second answer about addresses that are suddenly missing, in milliseconds. */
const secondAnswerMs = 1_000;

/**
 * Finds endpoints by DNS: addresses (A and AAAA) with a fixed port, or SRV records with ports, priorities and weights.
 *
 * Queries its servers itself, in the background, again whenever the smallest TTL of an answer has passed. What is answered is used after
 * 50 ms without what is not: IPv4 without IPv6, an SRV target without another; the rest joins when it comes. A name that does not exist is
 * an empty set; a server that fails or does not answer makes the watch throw `ERR_MESH_DISCOVERY`. Throws a `TypeError` or `RangeError`
 * on wrong options.
 */
export function dns(options: DnsOptions = {}): Discovery {
  const { type, port, name = "{service}", servers, family = 0, secure = false, emptyPolicy } = options;
  const { minTtlMs = 1_000, maxTtlMs = 300_000, timeoutMs = 500, maxAttempts = 3, transport = "auto" } = options;
  const { clock = systemClock, random = Math.random } = options;
  checkOptions(options, { type, port, family, secure, emptyPolicy, minTtlMs, maxTtlMs, timeoutMs, maxAttempts, transport });
  const nameOf = nameOption(name);
  const resolve = resolver({ servers: serversOption(servers, clock), timeoutMs, maxAttempts, transport, clock });
  const types = addressTypes(family);
  const hints = new RefreshListeners();
  const find = port === undefined ? findBySrv : (host: string, query: AddressQuery) => findByAddress(host, port, query);
  return {
    name: servers === undefined ? "dns" : `dns at ${servers.join(", ")}`,
    ...(emptyPolicy === undefined ? {} : { emptyPolicy }),
    refresh: (service) => hints.notify(service),
    async *watch(service, signal) {
      const doubt = new SecondAnswer();
      const hint = new Notifier();
      const unusable = new UnusableRecords(resolve);
      const rounds = new Rounds({ resolve: unusable.resolve, types, find, clock, signal, hint });
      let nextAt = Number.POSITIVE_INFINITY;
      const forget = hints.add(service, () => {
        nextAt = clock.now();
        hint.notify();
      });
      let last: readonly Endpoint[] | undefined;
      try {
        const dnsName = checkName(nameOf(service));
        while (!signal.aborted) {
          const jitter = random();
          let answeredAt: number | undefined;
          nextAt = Number.POSITIVE_INFINITY;
          unusable.nextRound();
          for await (const { endpoints, ttlS, isDecidedlyAbsent } of rounds.next(dnsName, () => nextAt)) {
            // What joins later in a round is no second answer.
            const isConfirmed = answeredAt === undefined && doubt.confirms(endpoints);
            answeredAt ??= clock.now();
            const delayMs = refreshDelayMs(ttlS, jitter, { minTtlMs, maxTtlMs });
            nextAt = answeredAt + (doubt.isOpen ? Math.min(delayMs, secondAnswerMs) : delayMs);
            // Also when nothing changed: it confirms that the data is current, and an empty answer is used once it is confirmed.
            last = keepIfSame(last, secure ? endpoints.map((endpoint) => ({ ...endpoint, secure })) : endpoints);
            yield { endpoints: last, certain: isDecidedlyAbsent ?? isConfirmed, leftOut: unusable.leftOut };
          }
          const pauseMs = nextAt - clock.now();
          if (pauseMs > 0) await pauseUnlessNotified(clock, pauseMs, signal, hint);
        }
      } catch (error) {
        if (signal.aborted) return;
        throw new MeshError("ERR_MESH_DISCOVERY", `dns: ${describeError(error)}`, { service, cause: error });
      } finally {
        forget();
      }
    },
  };
}

async function findByAddress(name: string, port: number, query: AddressQuery): Promise<Found> {
  const { addresses, ttlS } = await findAddresses(name, query);
  return { endpoints: addresses.map((host) => ({ id: addressOf({ host, port }), host, port })), ttlS };
}

async function findBySrv(name: string, query: AddressQuery): Promise<Found> {
  const { services, ttlS, isDecidedlyAbsent } = await findServices(name, query);
  const endpoints = services.map(({ host, port, priority, weight, target }) => ({
    id: addressOf({ host, port }),
    host,
    port,
    priority,
    weight,
    metadata: { target },
  }));
  return { endpoints, ttlS, isDecidedlyAbsent };
}

function checkName(name: unknown): string {
  const plain = typeof name === "string" ? plainName(name) : undefined;
  if (plain === undefined) throw new TypeError(`not a DNS name: ${quoted(name)}`);
  return plain;
}
