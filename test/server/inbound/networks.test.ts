import { expect, test } from "vitest";
import { Networks, networkOf } from "../../../src/server/inbound/networks.ts";

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8::1", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["1:2:3:4:5:6:7::", "1:2:3:4::/64"],
])("the caller %s is known by %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test("two spellings of an address are one caller", () => {
  expect(networkOf("2001:DB8:0:0:1::9")).toBe(networkOf("2001:db8::1:0:0:8"));
});

test("a Unix socket is this machine, and in no other network", () => {
  expect(new Networks("peers", ["127.0.0.1"]).has(undefined)).toBe(true);
  expect(new Networks("peers", ["10.0.0.0/8"]).has(undefined)).toBe(false);
  expect(new Networks("peers", ["10.0.0.0/8"]).has("10.200.0.1")).toBe(true);
  expect(new Networks("peers", ["fd00::/8"]).has("fd12::1%eth0")).toBe(true);
  expect(new Networks("peers", ["fd00::/8"]).has("nonsense")).toBe(false);
});
