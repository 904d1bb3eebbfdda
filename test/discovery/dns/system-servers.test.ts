import dnsModule from "node:dns";
import { afterEach, describe, expect, it, vi } from "vitest";
import { dns } from "../../../src/discovery/dns/dns.ts";
import { systemServers } from "../../../src/discovery/dns/system-servers.ts";
import { endpointsIn } from "../sources.ts";
import { ManualClock } from "./dns-clock.ts";
import { record, startResponder } from "./dns-responder.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** The system's configuration as a new resolver reads it; that of Node's start stays, as it does in Node. */
function configure(...servers: readonly string[]) {
  return vi.spyOn(dnsModule.Resolver.prototype, "getServers").mockReturnValue([...servers]);
}

// The last of these chooses servers for the process, for good.
describe("systemServers", () => {
  it("follows the system's configuration, which it reads again after a second at the earliest", () => {
    const clock = new ManualClock();
    const servers = systemServers(clock);
    const read = configure("192.0.2.1", "[2001:db8::53]:5353");
    expect(servers().map(({ label }) => label)).toEqual(["192.0.2.1:53", "[2001:db8::53]:5353"]);
    read.mockReturnValue(["192.0.2.2"]);
    clock.advance(999);
    expect(servers().map(({ label }) => label)).toEqual(["192.0.2.1:53", "[2001:db8::53]:5353"]);
    clock.advance(1);
    for (let i = 0; i < 3; i++) expect(servers().map(({ label }) => label)).toEqual(["192.0.2.2:53"]);
    expect(read).toHaveBeenCalledTimes(2);
  });

  it("makes a running watch ask the servers of another network, and a service that is watched for the first time", async () => {
    const answering = (host: string) => startResponder(({ name }) => ({ answers: [record("A", name, host, 1)] }));
    await using one = await answering("127.0.0.5");
    await using two = await answering("127.0.0.6");
    const read = configure(one.address);
    const clock = new ManualClock();
    const controller = new AbortController();
    const discovery = dns({ port: 80, family: 4, clock, random: () => 1 });
    const watch = (service: string) => discovery.watch(service, controller.signal)[Symbol.asyncIterator]();
    const running = watch("web.test");
    expect(endpointsIn((await running.next()).value)).toMatchObject([{ host: "127.0.0.5" }]);
    read.mockReturnValue([two.address]);
    const next = running.next();
    await clock.sleeping();
    clock.advance(1_000);
    expect(endpointsIn((await next).value)).toMatchObject([{ host: "127.0.0.6" }]);
    expect(endpointsIn((await watch("other.test").next()).value)).toMatchObject([{ host: "127.0.0.6" }]);
    expect(one.asked).toHaveLength(1);
    controller.abort();
  });

  it("asks the servers that the program has chosen, whatever the system says", () => {
    const servers = systemServers(new ManualClock());
    dnsModule.setServers(["192.0.2.9:5300"]);
    vi.spyOn(dnsModule.Resolver.prototype, "getServers");
    expect(servers().map(({ label }) => label)).toEqual(["192.0.2.9:5300"]);
  });
});
