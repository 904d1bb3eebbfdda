import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isMeshError } from "../../src/core/errors.ts";
import type { Discovery } from "../../src/discovery/discovery.ts";
import { parseTarget } from "../../src/fetch/target.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { rejectionOf } from "../support/rejection.ts";
import { serve, serveRaw } from "../support/servers.ts";

const label63 = "a".repeat(63);
const name253 = `${label63}.${label63}.${label63}.${"a".repeat(61)}`;

const accepted: readonly (readonly [string, string, string])[] = [
  ["orders", "orders", "/"],
  ["orders/", "orders", "/"],
  ["orders/users/42", "orders", "/users/42"],
  ["orders?x=1", "orders", "/?x=1"],
  ["orders/#part", "orders", "/"],
  ["orders#part", "orders", "/"],
  ["orders/a?b#c?d", "orders", "/a?b"],
  ["mesh://orders/a", "orders", "/a"],
  ["http://orders/a", "orders", "/a"],
  ["https://orders/a", "orders", "/a"],
  ["http://evil/x", "evil", "/x"],
  ["EUREKA_UPPER/a", "EUREKA_UPPER", "/a"],
  ["under_scores/a", "under_scores", "/a"],
  ["_sip._tcp/a", "_sip._tcp", "/a"],
  ["dots.in.names/a", "dots.in.names", "/a"],
  ["1password/a", "1password", "/a"],
  ["orders-2/a", "orders-2", "/a"],
  ["api-1.0/a", "api-1.0", "/a"],
  ["constructor/a", "constructor", "/a"],
  ["__proto__/a", "__proto__", "/a"],
  ["toString", "toString", "/"],
  ["hasOwnProperty", "hasOwnProperty", "/"],
  [`${label63}/a`, label63, "/a"],
  [`${name253}/a`, name253, "/a"],
  // Everything after the name goes out as it is (T02).
  ["orders//a//b", "orders", "//a//b"],
  ["orders/a%2fb%5Cc;v=1", "orders", "/a%2fb%5Cc;v=1"],
  ["orders/http://evil/x", "orders", "/http://evil/x"],
  ["orders/a@b:80", "orders", "/a@b:80"],
  ["orders/.hidden/a..b/...", "orders", "/.hidden/a..b/..."],
  ["orders/a?next=../b", "orders", "/a?next=../b"],
  ['orders/"<>`{|}^', "orders", '/"<>`{|}^'],
];

const refused: Readonly<Record<string, readonly string[]>> = {
  "no name": ["", "/", "/orders", "?x", "#x", "http://", "http:///x", "mesh://", "//evil/x", "///evil"],
  "T01, dot segments in the place of the name": ["../admin/x", "./x", "..", ".", "%2e%2e/x"],
  "T02, dot segments in the path": [
    "a/../../x",
    "a/..",
    "a/.",
    "a/./b",
    "a/%2e%2e/x",
    "a/%2E%2E",
    "a/.%2e/x",
    "a/%2e/x",
    "a/b/..?x=1",
    "a/../#x",
  ],
  "T03, other schemes": ["https:evil", "ftp://a/x", "file:///etc/passwd", "javascript:alert(1)", "HTTP://a/x", "http:/a", "mesh:a"],
  "T04, user information": ["svc@evil", "svc@evil/x", "user:pw@svc/x", "http://user@svc/x", "svc%40evil/x"],
  "T05, characters": [
    "svc\\evil",
    "svc\\@evil/x",
    "svc/a\\b",
    "svc/a\tb",
    "svc/a\nb",
    "svc/a\r\nHost: evil",
    "svc/a\0b",
    "svc/a\x7fb",
    "svc/a b",
    " svc/a",
    "svc /a",
    "svc\n/a",
    "svc/a\n",
  ],
  "T06, names beyond ASCII and trailing dots": [
    "sv\u0441/x",
    "\u00e4/x",
    "svc./x",
    ".svc/x",
    "a..b/x",
    "svc\u3002evil/x",
    "svc/\u00e4",
    "svc\u2044x",
  ],
  addresses: [
    "127.0.0.1/x",
    "2130706433/x",
    "0x7f000001/x",
    "0X7F.1/x",
    "127.1/x",
    "0177.0.0.1/x",
    "0x/x",
    "[::1]/x",
    "::1/x",
    "[::ffff:127.0.0.1]:80/x",
    "http://127.0.0.1/x",
  ],
  "T08, ports": ["svc:22", "svc:22/x", "http://svc:80/x", "svc:/x"],
  "hyphens and lengths": ["-svc", "svc-", "a.-b", "a-.b", `${label63}a/x`, `${name253}a/x`, `${name253}.a`],
  "other characters in the name": ["a*b", "a,b", "a;b", "a+b", "a~b", "a!b", "$svc", "(svc)", "a=b", "a&b", "%61/x"],
};

describe("parseTarget", () => {
  it.each(accepted)("reads %s", (target, service, path) => {
    expect(parseTarget(target)).toEqual({ service, path, requiresTls: target.startsWith("https://") });
  });

  for (const [why, targets] of Object.entries(refused)) {
    it.each(targets.map((target) => [JSON.stringify(target), target]))(`refuses %s: ${why}`, (_shown, target) => {
      let error: unknown;
      try {
        parseTarget(target);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toMatchObject({ code: "ERR_MESH_INVALID_TARGET", maybeExecuted: false, attempts: [] });
    });
  }

  it("says what is wrong and shows the target, shortened", () => {
    expect(() => parseTarget("svc:22/x")).toThrow('target "svc:22/x" is refused: a port');
    expect(() => parseTarget(`${"x".repeat(5_000)}/`)).toThrow(/^.{100,250}$/);
  });

  it("takes linear time for hostile names and paths", () => {
    // Quadratic matching of these takes minutes; the test's own time limit is the bound.
    for (const target of [
      `${"a-".repeat(100_000)}!`,
      `${"1.".repeat(100_000)}x!`,
      `a/${"%2e".repeat(300_000)}`,
      `a${"/.x".repeat(300_000)}`,
    ]) {
      try {
        parseTarget(target);
      } catch (error) {
        expect(isMeshError(error)).toBe(true);
      }
    }
  });

  it("never reads a host that a URL parser would read differently", () => {
    const anything = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom(..."aZ09_-.:/@\\?#%[]x \t\n\u0441") }),
      fc.tuple(fc.constantFrom("", "http://", "mesh://", "https://", "//", "\\\\"), fc.string()).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(anything, (target) => {
        let parsed: ReturnType<typeof parseTarget>;
        try {
          parsed = parseTarget(target);
        } catch (error) {
          expect(error).toMatchObject({ code: "ERR_MESH_INVALID_TARGET" });
          return;
        }
        const text = `http://${parsed.service}${parsed.path}`;
        // A URL parser may refuse a name (`api-1.0` ends in a number for it); it must never see another host.
        if (URL.canParse(text)) expect(new URL(text).hostname).toBe(parsed.service.toLowerCase());
        else expect(parsed.service).toMatch(/(^|\.)(\d+|0x[0-9a-f]*)$|(^|\.)xn--/i);
        expect(target.replace(/#.*$/s, "").endsWith(parsed.path === "/" ? "" : parsed.path.slice(1))).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("mesh.fetch with a target", () => {
  it("looks nothing up for a refused one", async () => {
    const asked: string[] = [];
    const discovery: Discovery = {
      async *watch(service) {
        asked.push(service);
        yield [];
      },
    };
    const mesh = closing(createMesh({ discovery }));
    for (const target of Object.values(refused).flat()) {
      expect(await rejectionOf(mesh.fetch(target))).toMatchObject({ code: "ERR_MESH_INVALID_TARGET" });
    }
    expect(asked).toEqual([]);
  });

  it("refuses what is no target", async () => {
    const mesh = meshOf({});
    for (const target of [undefined, null, 42, {}, [], Symbol("x")]) {
      expect(await rejectionOf(mesh.fetch(target as never))).toBeInstanceOf(TypeError);
    }
  });

  it("takes a URL and keeps what its parser has made of it", async () => {
    const server = await serve();
    const mesh = meshOf({ orders: server.port });
    await mesh.fetch(new URL("http://orders/a b/../c?d=e f#g"));
    await mesh.fetch(new URL("mesh://orders/x"));
    expect(server.seen.map(({ url }) => url)).toEqual(["/c?d=e%20f", "/x"]);
    expect(await rejectionOf(mesh.fetch(new URL("http://2130706433/")))).toMatchObject({ code: "ERR_MESH_INVALID_TARGET" });
    expect(await rejectionOf(mesh.fetch(new URL("http://orders:81/")))).toMatchObject({ code: "ERR_MESH_INVALID_TARGET" });
  });

  it("finds names as registries use them, their case kept", async () => {
    const names = ["EUREKA_UPPER", "under_scores", "dots.in.names", "__proto__", "constructor", "api-1.0"];
    const server = await serve();
    const asked: string[] = [];
    const discovery: Discovery = {
      emptyPolicy: "trust",
      async *watch(service) {
        asked.push(service);
        yield [{ id: "a", host: "127.0.0.1", port: server.port }];
      },
    };
    const mesh = closing(createMesh({ discovery }));
    for (const name of names) expect((await mesh.fetch(`${name}/x`)).status).toBe(200);
    expect(asked).toEqual(names);
    // Discovery gives the address: the name is not the host.
    expect(new Set(server.seen.map(({ headers }) => headers.host))).toEqual(new Set([`127.0.0.1:${server.port}`]));
  });

  it("sends an accepted path byte for byte", async () => {
    const paths: string[] = [];
    const server = await serveRaw((socket, head) => {
      paths.push(head.slice(head.indexOf(" ") + 1, head.indexOf(" HTTP/1.1\r\n")));
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    });
    const mesh = meshOf({ orders: server.port });
    const printable = fc.string({ unit: fc.constantFrom(...Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index))) });
    await fc.assert(
      fc.asyncProperty(printable, async (text) => {
        const target = `orders/${text}`;
        let path: string;
        try {
          ({ path } = parseTarget(target));
        } catch {
          return;
        }
        paths.length = 0;
        await mesh.fetch(target);
        expect(paths).toEqual([path]);
        expect(path).toBe(`/${text}`.replace(/#.*$/, ""));
      }),
      { numRuns: 300 },
    );
  });
});
