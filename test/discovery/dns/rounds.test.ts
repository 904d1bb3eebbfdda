import { afterEach, describe, expect, it } from "vitest";
import { type DnsOptions, dns } from "../../../src/discovery/dns/dns.ts";
import { endpointsIn } from "../sources.ts";
import { ManualClock } from "./dns-clock.ts";
import { type Asked, type Responder, record, type Said } from "./dns-responder.ts";
import { respond } from "./respond.ts";

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Watches `web.test` with a clock that stands. `hosts` has what was yielded. */
function watch(server: Responder, options: DnsOptions) {
  const clock = new ManualClock();
  const controller = new AbortController();
  const hosts: string[] = [];
  const source = dns({ servers: [server.address], maxAttempts: 1, clock, random: () => 1, ...options });
  const run = async () => {
    for await (const yielded of source.watch("web.test", controller.signal))
      hosts.push(
        endpointsIn(yielded)
          .map(({ host }) => host)
          .join(),
      );
  };
  const done = run();
  done.catch(() => {});
  open.push(async () => {
    controller.abort();
    await done.catch(() => {});
  });
  return { clock, hosts, done, controller };
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Waits until `count` queries and waits for their answers are under way; each open query has a limit, and a wait of 50 ms at first. */
async function untilOpen(clock: ManualClock, count: number): Promise<void> {
  while (clock.foregroundTimers !== count) await nextTurn();
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await nextTurn();
}

const a =
  (...hosts: readonly string[]) =>
  ({ name }: Asked): Said => ({ answers: hosts.map((host) => record("A", name, host, 1)) });
const aaaa =
  (host: string, ttl = 1) =>
  ({ name }: Asked): Said => ({ answers: [record("AAAA", name, host, ttl)] });

describe("a family that is silent", () => {
  it("holds up neither the first set, which comes 50 ms after the query, nor a change, which comes with its TTL", async () => {
    const server = await respond((asked) => (asked.type === "A" ? a("127.0.0.5")(asked) : undefined));
    const { clock, hosts } = watch(server, { port: 80, timeoutMs: 5_000 });
    await untilOpen(clock, 2);
    clock.advance(49);
    await nextTurn();
    expect(hosts).toEqual([]);
    clock.advance(1);
    await until(() => hosts.length === 1);
    expect(hosts).toEqual(["127.0.0.5"]);
    server.script = (asked) => (asked.type === "A" ? a("127.0.0.5", "127.0.0.6")(asked) : undefined);
    expect(await clock.sleeping()).toBe(1_000);
    clock.advance(1_000);
    // The silent query of the first round is still open, so it is not sent a second time.
    await server.untilAsked(3);
    await untilOpen(clock, 2);
    clock.advance(50);
    await until(() => hosts.length === 2);
    expect(hosts[1]).toBe("127.0.0.5,127.0.0.6");
    expect(server.asked.map(({ type }) => type).sort()).toEqual(["A", "A", "AAAA"]);
  });

  it("is the same for IPv4 beside IPv6", async () => {
    const server = await respond((asked) => (asked.type === "AAAA" ? aaaa("::1")(asked) : undefined));
    const { clock, hosts } = watch(server, { port: 80 });
    await untilOpen(clock, 2);
    clock.advance(50);
    await until(() => hosts.length === 1);
    expect(hosts).toEqual(["::1"]);
  });

  it("joins when it answers at last, without another query, and stays while it is silent again", async () => {
    const server = await respond((asked) => (asked.type === "A" ? a("127.0.0.5")(asked) : undefined));
    const { clock, hosts } = watch(server, { port: 80, timeoutMs: 400, maxAttempts: 2 });
    await untilOpen(clock, 2);
    clock.advance(50);
    await until(() => hosts.length === 1);
    // The second attempt of the same query is answered.
    server.script = (asked) => (asked.type === "A" ? a("127.0.0.5")(asked) : aaaa("::1")(asked));
    clock.advance(350);
    await until(() => hosts.length === 2);
    expect(hosts[1]).toBe("127.0.0.5,::1");
    server.script = (asked) => (asked.type === "A" ? a("127.0.0.6")(asked) : undefined);
    clock.advance(650);
    await server.untilAsked(5);
    await untilOpen(clock, 2);
    clock.advance(50);
    await until(() => hosts.length === 3);
    expect(hosts[2]).toBe("127.0.0.6,::1");
  });

  it("is waited for when the other one has no addresses, and is a failure once it has not answered in time", async () => {
    const server = await respond(({ type }) => (type === "A" ? {} : undefined));
    const { clock, hosts, done } = watch(server, { port: 80 });
    await untilOpen(clock, 2);
    clock.advance(50);
    // The limit of the query alone: the wait of 50 ms is over.
    await untilOpen(clock, 1);
    expect(hosts).toEqual([]);
    clock.advance(450);
    await expect(done).rejects.toThrow("did not answer within 500 ms");
  });

  it("leaves no timer and no error behind when the watch ends while it is silent", async () => {
    const server = await respond((asked) => (asked.type === "A" ? a("127.0.0.5")(asked) : undefined));
    const { clock, hosts, done, controller } = watch(server, { port: 80 });
    await untilOpen(clock, 2);
    clock.advance(50);
    await until(() => hosts.length === 1);
    controller.abort();
    await done;
    expect(clock.timers).toBe(0);
  });
});

describe("an SRV target whose addresses are never answered", () => {
  const services = (count: number): Said => ({
    answers: Array.from({ length: count }, (_, i) =>
      record("SRV", "web.test", { port: 80, priority: i, weight: 1, target: `t${String(i).padStart(2, "0")}.test` }, 1),
    ),
  });

  it("does not hold up the others, at first and in later rounds", async () => {
    const server = await respond(({ name, type }) => {
      if (type === "SRV") return services(2);
      return name === "t00.test" ? undefined : { answers: [record("A", name, "127.0.0.5", 1)] };
    });
    const { clock, hosts } = watch(server, { family: 4, timeoutMs: 5_000 });
    await server.untilAsked(3);
    await untilOpen(clock, 2);
    clock.advance(50);
    await until(() => hosts.length === 1);
    expect(hosts).toEqual(["127.0.0.5"]);
    server.script = ({ name, type }) => {
      if (type === "SRV") return services(2);
      return name === "t00.test" ? undefined : { answers: [record("A", name, "127.0.0.6", 1)] };
    };
    expect(await clock.sleeping()).toBe(1_000);
    clock.advance(1_000);
    await server.untilAsked(5);
    await untilOpen(clock, 2);
    clock.advance(50);
    await until(() => hosts.length === 2);
    expect(hosts[1]).toBe("127.0.0.6");
  });

  it("keeps no place from others, though twenty are silent and sixteen are queried at once", async () => {
    const server = await respond(({ name, type }) => {
      if (type === "SRV") return services(21);
      return name === "t20.test" ? { answers: [record("A", name, "127.0.0.5", 1)] } : undefined;
    });
    const { clock, hosts } = watch(server, { family: 4, timeoutMs: 5_000 });
    await untilOpen(clock, 32);
    clock.advance(50);
    // Sixteen queries stay open; the other five are sent, and one of them is answered.
    await server.untilAsked(22);
    await untilOpen(clock, 16 + 4 * 2);
    clock.advance(50);
    await until(() => hosts.length === 1);
    expect(hosts).toEqual(["127.0.0.5"]);
  });
});
