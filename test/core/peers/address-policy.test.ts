import { isIPv6, SocketAddress } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isInstanceAddress, isInstanceHost } from "../../../src/core/peers/address-policy.ts";

const usable = [
  ...["127.0.0.1", "127.8.9.10", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "1.2.3.4", "169.253.255.255", "223.255.255.255"],
  ...[
    "::1",
    "0:0:0:0:0:0:0:1",
    "fd00::1",
    "fc00::1",
    "2001:db8::1",
    "2606:4700::1111",
    "2001:1::1",
    "fd00:ec3::23",
    "64:ff9b::a00:1",
    "2002:a00:1::1",
  ],
];
const refused = [
  // This network, metadata services, multicast, reserved, broadcast
  ...["0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.0.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"],
  ...["100.100.100.200", "192.0.0.192", "168.63.129.16"],
  ...["::", "fe80::1", "febf::1", "ff02::1", "ff0e::1", "fd00:ec2::254", "FD00:0EC2:0::0254", "fd20:ce::254", "fd00:42::42"],
  // The same in another coat: mapped, compatible, NAT64, 6to4
  ...[
    "::ffff:a9fe:a9fe",
    "::ffff:169.254.169.254",
    "0:0:0:0:0:ffff:169.254.169.254",
    "0000:0000:0000:0000:0000:FFFF:a9fe:a9fe",
    "::ffff:0:0",
  ],
  ...[
    "::a9fe:a9fe",
    "::169.254.169.254",
    "::2",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::169.254.169.254",
    "64:ff9b:0:0::e000:1",
    "2002:a9fe:a9fe::1",
  ],
  // AWS for EKS pods, Oracle, translated (SIIT), NAT64 for local use, Teredo, discard
  ...["fd00:ec2::23", "fd00:ec2::253", "fd00:c1::a9fe:a9fe", "::ffff:0:a9fe:a9fe", "::ffff:0:169.254.169.254", "::ffff:0:10.0.0.1"],
  ...["64:ff9b:1::a9fe:a9fe", "64:ff9b:1:a9fe:a9:fe00::", "2001::a9fe:a9fe", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "100::1"],
  // IPv4 dressed as IPv6 is no plain spelling of any address
  ...["::ffff:10.0.0.1", "0:0:0:0:0:ffff:a00:1", "::10.0.0.1"],
  // A zone is for link-local addresses
  ...["fe80::1%eth0", "fd00::1%eth0"],
];

describe("isInstanceAddress", () => {
  for (const address of usable) it(`takes ${address}`, () => expect(isInstanceAddress(address)).toBe(true));
  for (const address of refused) it(`refuses ${address}`, () => expect(isInstanceAddress(address)).toBe(false));

  it("refuses what is no address", () => {
    for (const text of [
      "",
      "1",
      "web",
      "010.0.0.1",
      "0x7f000001",
      "2130706433",
      "127.1",
      "1.2.3.4.5",
      "256.1.1.1",
      "[::1]",
      ":::",
      "1::2::3",
    ]) {
      expect(isInstanceAddress(text), text).toBe(false);
    }
  });

  it("gives every spelling of an IPv6 address the same answer", () => {
    const groups = fc.array(fc.oneof(fc.constantFrom(0, 0xffff, 0xa9fe, 0x64, 0xff9b, 0x2002, 0xfe80, 0xff02), fc.nat(0xffff)), {
      minLength: 8,
      maxLength: 8,
    });
    fc.assert(
      fc.property(groups, (values) => {
        const plain = values.map((value) => value.toString(16)).join(":");
        const padded = values.map((value) => value.toString(16).padStart(4, "0").toUpperCase()).join(":");
        const [high = 0, low = 0] = values.slice(6);
        const dotted = `${values
          .slice(0, 6)
          .map((value) => value.toString(16))
          .join(":")}:${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
        const short = new SocketAddress({ address: plain, family: "ipv6" }).address;
        const spellings = [plain, padded, dotted, short];
        expect(spellings.every(isIPv6)).toBe(true);
        expect(new Set(spellings.map(isInstanceAddress)).size, spellings.join(" ")).toBe(1);
      }),
    );
  });

  it("refuses an IPv4 address inside an IPv6 one wherever it refuses it outside", () => {
    const bytes = fc.oneof(
      fc.constantFrom([169, 254, 169, 254], [0, 0, 0, 0], [224, 0, 0, 1], [100, 100, 100, 200]),
      fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }),
    );
    fc.assert(
      fc.property(bytes, (parts) => {
        const ipv4 = parts.join(".");
        if (isInstanceAddress(ipv4)) return;
        const [a = 0, b = 0, c = 0, d = 0] = parts;
        const pair = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
        for (const coat of [`::ffff:${ipv4}`, `::${ipv4}`, `64:ff9b::${ipv4}`, `2002:${pair}::1`])
          expect(isInstanceAddress(coat), coat).toBe(false);
      }),
    );
  });
});

describe("isInstanceHost", () => {
  it("takes addresses and host names, underscores and a final dot included", () => {
    for (const host of [
      ...usable,
      "localhost",
      "web",
      "my_service_1",
      "_x",
      "a.b-c.example",
      "db.internal.",
      "7up",
      "v1.x86",
      "1.2.3.4.example",
      "x".repeat(63),
    ]) {
      expect(isInstanceHost(host), host).toBe(true);
    }
  });

  it("refuses addresses that no instance can have", () => {
    for (const host of refused) expect(isInstanceHost(host), host).toBe(false);
  });

  it("refuses names that a resolver reads as an address: another way to write 169.254.169.254", () => {
    for (const host of [
      "2852039166",
      "0xa9fea9fe",
      "0251.0376.0251.0376",
      "169.254.43518",
      "0xa9.254.169.254",
      "1.2.3.4.5",
      "127.1",
      "a.0x",
      "web.1",
      "2852039166.",
      "0",
    ]) {
      expect(isInstanceHost(host), host).toBe(false);
    }
  });

  it("refuses what is no host", () => {
    const none = [
      "",
      " ",
      "a b",
      "a/b",
      "a@b",
      "a:80",
      "a\n",
      "\0",
      "-a",
      "a-",
      "a..b",
      ".a",
      "ä.example",
      "http://a",
      "[::1]",
      "a\\b",
      `${"x".repeat(64)}.a`,
      "x.".repeat(127),
      "a?b",
      "a#b",
      "%61",
    ];
    for (const host of none) expect(isInstanceHost(host), JSON.stringify(host)).toBe(false);
  });

  it("takes nothing that a URL reads as another host", () => {
    const alphabet = fc.constantFrom(..."aZ09xX_.-:%@/\\#?[]\t é".split(""));
    fc.assert(
      fc.property(fc.string({ unit: alphabet, maxLength: 24 }), (host) => {
        if (!isInstanceHost(host)) return;
        const written = host.includes(":") ? `[${host}]` : host;
        const { hostname } = new URL(`http://${written}/`);
        expect(host.includes(":") ? isInstanceAddress(hostname.slice(1, -1)) : hostname === host.toLowerCase(), host).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
