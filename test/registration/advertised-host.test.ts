import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, it } from "vitest";
import { advertisedHost, type Interfaces } from "../../src/registration/advertised-host.ts";

/** Interfaces as a machine has them: `eth0 10.0.0.5`, one a line; those of `lo` are internal. */
function machine(...lines: readonly string[]): Interfaces {
  const interfaces: Record<string, NetworkInterfaceInfo[]> = {};
  for (const line of lines) {
    const [name = "", address = ""] = line.split(" ");
    const rest = { address, netmask: "", mac: "", cidr: null, internal: name === "lo" };
    interfaces[name] ??= [];
    const list = interfaces[name];
    list.push(address.includes(":") ? { ...rest, family: "IPv6", scopeid: 0 } : { ...rest, family: "IPv4" });
  }
  return interfaces;
}

const loopback = ["lo 127.0.0.1", "lo ::1"];

describe("the advertised host", () => {
  it.each<[string, readonly string[], string]>([
    ["the one address beside the loopback", [...loopback, "eth0 10.0.0.5", "eth0 fe80::1"], "10.0.0.5"],
    ["IPv4 before IPv6", ["eth0 2001:db8::5", "eth0 10.0.0.5"], "10.0.0.5"],
    ["IPv6 on a machine that has nothing else", [...loopback, "eth0 fe80::1", "eth0 2001:db8::5"], "2001:db8::5"],
    ["a unique-local address of IPv6", [...loopback, "eth0 fd00::5"], "fd00::5"],
    ["no address that nobody has given out", ["eth0 169.254.7.7", "eth1 10.0.0.5"], "10.0.0.5"],
    [
      "no address of a container bridge",
      ["br-12ab 172.18.0.1", "docker0 172.17.0.1", "veth1 172.17.0.9", "wlan0 192.168.1.5"],
      "192.168.1.5",
    ],
    ["no address of a bridge, IPv4 though it is", ["docker0 172.17.0.1", "eth0 2001:db8::5"], "2001:db8::5"],
    ["that of a bridge where there is no other", [...loopback, "docker0 172.17.0.1"], "172.17.0.1"],
    ["that of the first interface by its name, as each start does", ["eth10 10.0.0.10", "eth2 10.0.0.2", "eth1 10.0.0.1"], "10.0.0.1"],
    ["no loopback address of another interface", ["dummy0 127.0.0.2", "eth0 10.0.0.5"], "10.0.0.5"],
  ])("is %s", (_what, lines, expected) => {
    expect(advertisedHost("auto", machine(...lines))).toBe(expected);
    expect(advertisedHost("auto", machine(...[...lines].reverse()))).toBe(expected);
  });

  it("can be chosen by interface and family", () => {
    const both = machine("eth0 10.0.0.5", "eth0 2001:db8::5", "eth1 10.1.0.5", "docker0 172.17.0.1");
    expect(advertisedHost({ family: "ipv6" }, both)).toBe("2001:db8::5");
    expect(advertisedHost({ interface: "eth1" }, both)).toBe("10.1.0.5");
    expect(advertisedHost({ interface: "eth0", family: "ipv6" }, both)).toBe("2001:db8::5");
    expect(advertisedHost({ interface: "docker0" }, both)).toBe("172.17.0.1");
    expect(advertisedHost({}, both)).toBe("10.0.0.5");
  });

  it("is what is given, without a look at the machine", () => {
    expect(advertisedHost("orders.internal", machine())).toBe("orders.internal");
    expect(advertisedHost("2001:db8::5", machine())).toBe("2001:db8::5");
  });

  it("says which addresses there are when none fits", () => {
    const bare = machine(...loopback, "eth0 fe80::1");
    const has = "it has lo 127.0.0.1, lo ::1, eth0 fe80::1";
    expect(() => advertisedHost("auto", bare)).toThrow(`host: no address that others can reach this machine at; ${has}`);
    expect(() => advertisedHost({ interface: "eth0" }, bare)).toThrow(`host: no address of the interface "eth0" that others`);
    expect(() => advertisedHost({ interface: "eth9", family: "ipv4" }, bare)).toThrow(
      `host: no address of the interface "eth9" (ipv4) that others can reach this machine at; ${has}`,
    );
    expect(() => advertisedHost("auto", machine())).toThrow("it has no address");
  });
});
