import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Admin, admin } from "../../src/admin/admin.ts";
import { commands } from "../../src/cli/commands.ts";
import { createMesh, type Mesh, staticDiscovery } from "../../src/index.ts";
import { terminalScreen } from "../support/terminal-screen.ts";
import { until } from "../support/until.ts";
import { runCli, startCli } from "./run-cli.ts";
import { type ToyInstance, toyInstance } from "./toy-instance.ts";

const widths = [60, 80, 120, 200];
const longName = "recommendations-of-the-week-for-signed-in-customers";
let toy: ToyInstance;
let mesh: Mesh;
let page: Admin;

/** Entries with names as schedulers of containers make them. */
function listed(port: number): readonly string[] {
  const zones = ["--static", `orders=127.0.0.1:${port},[2001:db8:85a3::8a2e:370:7334]:65535,orders-7d9c5b4f6d-x2x9z.orders.shop.svc:8080`];
  return [...zones, "--static", `${longName}=127.0.0.1:1`];
}

beforeAll(async () => {
  toy = await toyInstance((_, response) => response.end("hello"));
  const endpoint = (id: string, port: number) => ({ id, host: "127.0.0.1", port, zone: "europe-west4-a" });
  mesh = createMesh({
    discovery: staticDiscovery({
      orders: [endpoint("orders-7d9c5b4f6d-x2x9z/orders-127.0.0.1-8080", toy.port), endpoint("orders-7d9c5b4f6d-q7w2e", 1)],
      [longName]: [endpoint(`${longName}-0`, 1)],
    }),
    retry: { baseDelayMs: 1 },
  });
  page = await admin(mesh, { port: 0 });
  for (let call = 0; call < 20; call++) await (await mesh.fetch("orders/")).text();
  await mesh.fetch(`${longName}/`).catch(() => {});
  // Shares are of whole seconds.
  await until("the second is over", async () => (await runCli(["stat", "--admin", page.url])).stdout.includes("100.00%"));
});
afterAll(async () => {
  await page?.close();
  await mesh?.close();
  await toy?.[Symbol.asyncDispose]();
});

/** Each command line whose result is text, by what is seen in it at any width. */
function commandLines(): readonly (readonly [argv: readonly string[], seen: RegExp])[] {
  const list = listed(toy.port);
  const served = ["--admin", page.url];
  return [
    [["--help"], /Commands:/],
    ...[...commands.keys()].map((name) => [[name, "--help"], /Exit codes:/] as const),
    [["stat", ...served], /orders +[12]\/2/],
    [["stat", ...served, "-o", "wide"], /DISCOVERY/],
    [["stat", "orders", ...served], /q7w2e/],
    [["stat", "orders", ...served, "-o", "wide"], /q7w2e/],
    [["stat", "nothing-of-that-name-was-ever-called-by-this-process", ...served], /was not|has not/],
    [["services", ...list], /orders/],
    [["services", ...list, "-o", "wide"], /orders/],
    [["endpoints", "orders", ...list], new RegExp(`127\\.0\\.0\\.1:${toy.port}`)],
    [["endpoints", "orders", ...list, "-o", "wide"], /METADATA/],
    [["endpoints", longName.slice(0, -1), ...list], /no endpoint/],
    [["explain", "orders", ...list], /orders-7d9c5.*in rotation/],
    [["explain", "orders", ...list, "-o", "wide"], /x2x9z/],
    [["check", "orders", ...list], /discovery/],
    [["check", "--consul", "http://consul.an-unreachable-name.invalid:8500"], /→/],
    [["watch", "orders", ...list, "--for", "50ms"], /added/],
    [["fetch", `${longName}/`, "-v", ...list, "--timeout", "2s"], /attempt/],
    [["fetch", `${longName}/`, "--trace", ...list, "--timeout", "2s"], /CANDIDATE/],
    [["endpoints", "orders", "--consul", "http://127.0.0.1:1"], /ECONNREFUSED/],
    [["chek"], /did you mean check/],
    [["check", "--no-such-option"], /Try:/],
  ];
}

describe.each(widths)("on a terminal of %i columns", (columns) => {
  it("no command and no help writes a line that is wider", { timeout: 60_000 }, async () => {
    for (const [argv, seen] of commandLines()) {
      const { stdout, stderr } = await runCli(argv, { isTerminal: true, columns });
      const { lines, wrapped } = await terminalScreen(stdout + stderr, columns);
      expect({ argv, wrapped }).toEqual({ argv, wrapped: [] });
      expect(lines.join("\n").replaceAll(/\n *↳ /g, " "), argv.join(" ")).toMatch(seen);
    }
  });

  it.each([[], ["orders"], ["orders", "-o", "wide"]])("top fits, in each of its pictures: top %s %s %s", async (...asked) => {
    const ending = new AbortController();
    const top = startCli(["top", ...asked, "--admin", page.url], { isTerminal: true, columns, signal: ending.signal });
    await until("a picture", () => top.stdout().includes("orders"), 10_000);
    // While the screen is its own: no line is cut off by the terminal, which top tells not to wrap.
    const { wrapped, lines } = await terminalScreen(top.stdout().replaceAll("\u001b[?7l", ""), columns);
    ending.abort("SIGINT");
    await top.ended;
    expect(wrapped).toEqual([]);
    if (asked.length < 3) expect(lines.some((line) => /^orders +[12]\/2 +100\.00%/.test(line))).toBe(true);
    if (asked.length > 0) expect(lines.join("\n")).toMatch(/orders-7d9c5b4f6d-q7w2e/);
  });
});

describe("a program", () => {
  it("gets whole lines: widths are those of a terminal alone", async () => {
    const { stdout } = await runCli(["endpoints", "orders", ...listed(toy.port)], { columns: 40 });
    expect(stdout).toContain("orders-7d9c5b4f6d-x2x9z.orders.shop.svc:8080");
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeGreaterThan(80);
  });
});
