import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { runCli, startCli } from "./run-cli.ts";

let directory: string;
let file: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "inmesh-cli-"));
  file = join(directory, "endpoints.json");
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const two = ["--static", "orders=127.0.0.1:4001,[::1]:4002", "--static", "users=10.0.0.1:80"];

describe("inmesh services", () => {
  it("lists names, and with -o wide how many endpoints each has", async () => {
    expect(await runCli(["services", ...two])).toEqual({ code: 0, stdout: "SERVICE\norders\nusers\n", stderr: "" });
    expect((await runCli(["services", ...two, "-o", "wide"])).stdout).toBe("SERVICE  ENDPOINTS\norders           2\nusers            1\n");
  });

  it("writes the same JSON whatever it finds", async () => {
    const { stdout } = await runCli(["services", ...two, "--static", "no name=127.0.0.1:1", "-o", "json"]);
    expect(JSON.parse(stdout)).toEqual({
      discovery: "static list",
      services: [
        { name: "no name", callable: false },
        { name: "orders", callable: true },
        { name: "users", callable: true },
      ],
    });
  });

  it("says that DNS has no such list", async () => {
    const { code, stderr } = await runCli(["services", "--dns", "{service}.test", "--dns-server", "127.0.0.1:53"]);
    expect(code).toBe(1);
    expect(stderr).toContain("no list of its services");
  });
});

describe("inmesh endpoints", () => {
  it("shows what a mesh would use", async () => {
    const { code, stdout, stderr } = await runCli(["endpoints", "orders", ...two]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n")).toEqual([
      "ID              ADDRESS         TLS  ZONE  WEIGHT",
      "127.0.0.1:4001  127.0.0.1:4001  no   -          1",
      "[::1]:4002      [::1]:4002      no   -          1",
      "",
    ]);
  });

  it("writes every field as JSON, whether it is known or not", async () => {
    const entry = { id: "a", host: "10.0.0.1", port: 1, secure: true, weight: 3, priority: 1, zone: "z", metadata: { version: "2" } };
    await writeFile(file, JSON.stringify({ orders: [entry, { host: "10.0.0.2", port: 2 }] }));
    const { stdout } = await runCli(["endpoints", "orders", "--file", file, "-o", "json"]);
    expect(JSON.parse(stdout)).toEqual({
      service: "orders",
      discovery: `file ${file}`,
      ms: expect.any(Number),
      endpoints: [
        { id: "10.0.0.2:2", address: "10.0.0.2:2", secure: false, weight: 1, priority: 0, zone: null, metadata: {} },
        { id: "a", address: "10.0.0.1:1", secure: true, weight: 3, priority: 1, zone: "z", metadata: { version: "2" } },
      ],
      rejected: [],
      leftOut: [],
    });
  });

  it("ends with 3 when there is none, and with 1 when nobody answers", async () => {
    const none = await runCli(["endpoints", "payments", ...two]);
    expect(none).toEqual({ code: 3, stdout: "", stderr: 'static list lists no endpoint of "payments"\n' });
    const { code, stderr } = await runCli(["endpoints", "orders", "--consul", "http://127.0.0.1:1"]);
    expect(code).toBe(1);
    expect(stderr).toContain("consul at http://127.0.0.1:1: orders: connect ECONNREFUSED");
  });

  it.each(["endpoints", "explain"])("names the service that was probably meant: %s", async (command) => {
    const { code, stderr } = await runCli([command, "user", ...two]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/"user".*; did you mean users\?\n$/);
  });

  it("gives up after --timeout", async () => {
    // It takes questions and gives no answer.
    const silent = createSocket("udp4").bind(0, "127.0.0.1");
    await once(silent, "listening");
    const server = `127.0.0.1:${silent.address().port}`;
    const { code, stderr } = await runCli(["endpoints", "a", "--dns", "{service}.test", "--dns-server", server, "--timeout", "100ms"]);
    silent.close();
    expect(code).toBe(1);
    expect(stderr).toContain("has not answered within 100 ms");
  });

  it.each([
    [["--static", "a=127.0.0.1:1", "--consul", "http://127.0.0.1:1"], "--consul and --static: only one source"],
    [["--static", "a"], "--static must be SERVICE=HOST:PORT"],
    [["--static", "a=b"], "--static must be SERVICE=HOST:PORT"],
    [["--static", "a=127.0.0.1:99999"], "port is not an integer from 1 to 65535"],
    [["--static", "a=127.0.0.1:1", "--token-file", "x"], "--token-file does nothing with --static"],
    [["--consul", "ftp://x"], "must be an http or https URL"],
    [["--eureka", "nonsense"], "must be a URL"],
    [["--dns", "{service}", "--dns-port", "0"], "--dns-port must be a whole number"],
    [["--static", "a=127.0.0.1:1", "--timeout", "soon"], "--timeout must be a time such as 500ms"],
  ])("refuses %j", async (options, message) => {
    const { code, stdout, stderr } = await runCli(["endpoints", "a", ...options]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });

  it("refuses what is no name of a service", async () => {
    const { code, stderr } = await runCli(["endpoints", "a b", ...two]);
    expect(code).toBe(2);
    expect(stderr).toContain("ERR_MESH_INVALID_TARGET");
  });
});

describe("inmesh explain", () => {
  it("shows what mesh.explain says", async () => {
    const { code, stdout } = await runCli(["explain", "orders", ...two]);
    expect(code).toBe(0);
    expect(stdout).toContain("orders: 2 of 2 endpoints are candidates");
    expect(stdout).toContain("in rotation");
    const { stdout: json } = await runCli(["explain", "orders", ...two, "-o", "json"]);
    expect(JSON.parse(json)).toMatchObject({ service: "orders", breaker: "closed", endpoints: [{ candidate: true }, { candidate: true }] });
  });
});

describe("inmesh watch", () => {
  it("tells what is added, changed and removed, and why an answer is not used", async () => {
    await writeFile(
      file,
      JSON.stringify({
        orders: [
          { id: "a", host: "10.0.0.1", port: 1 },
          { id: "b", host: "10.0.0.2", port: 2 },
        ],
      }),
    );
    const ending = new AbortController();
    const watch = startCli(["watch", "orders", "--file", file, "-o", "json"], { signal: ending.signal });
    const events = () =>
      watch
        .stdout()
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    await until("both are there", () => events().length === 2);
    await writeFile(file, JSON.stringify({ orders: [{ id: "a", host: "10.0.0.1", port: 1, weight: 5, zone: "z" }] }));
    await until("both changes are there", () => events().length === 4, 10_000);
    await writeFile(file, "{");
    await until("the error is there", () => events().length === 5, 10_000);
    ending.abort("SIGINT");
    expect((await watch.ended).code).toBe(130);
    expect(events().map(({ event, service }) => [event, service])).toEqual(
      ["added", "added", "removed", "changed", "error"].map((each) => [each, "orders"]),
    );
    expect(events()[3]).toMatchObject({ endpoint: { id: "a", weight: 5, zone: "z" }, before: { id: "a" } });
    for (const { time } of events()) expect(new Date(String(time)).toISOString()).toBe(time);
  });

  it("names the service that was probably meant", async () => {
    const { code, stderr } = await runCli(["watch", "order", ...two, "--for", "300ms"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '"order" has no endpoint; did you mean orders?\n' });
  });

  it("writes a line each for people, and ends by itself after --for", async () => {
    const { code, stdout } = await runCli(["watch", "orders", ...two, "--for", "200ms"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}added {7}127\.0\.0\.1:4001 {2}127\.0\.0\.1:4001\n/);
  });
});
