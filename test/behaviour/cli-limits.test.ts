import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type CliResult, runCli, startCli } from "../cli/run-cli.ts";
import { listening } from "../support/servers.ts";
import { until } from "../support/until.ts";

/** A server that answers badly, whatever is sent to it. */
async function badServer(fault: (socket: Socket) => void) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {}).once("data", () => fault(socket));
  });
  const port = await listening(server);
  // DNS asks by UDP, which is silent.
  const byUdp = createSocket("udp4")
    .on("error", () => {})
    .bind(port, "127.0.0.1");
  onTestFinished(() => void byUdp.close());
  return { port, open: () => sockets.filter(({ destroyed }) => !destroyed).length, made: () => sockets.length };
}

/** Writes again and again until the other side has gone. */
function endless(socket: Socket, text: string | Buffer, everyMs: number): void {
  const timer = setInterval(() => socket.write(text), everyMs);
  socket.once("close", () => clearInterval(timer));
}

const head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-consul-index: 1\r\ntransfer-encoding: chunked\r\n\r\n";

const faults: Readonly<Record<string, (socket: Socket) => void>> = {
  "never answers": () => {},
  "sends a head and then nothing": (socket) => void socket.write(head),
  "sends a body byte by byte": (socket) => {
    socket.write(head);
    endless(socket, "1\r\n \r\n", 20);
  },
  "sends a TLS record byte by byte": (socket) => {
    socket.write(Buffer.from([22, 3, 3, 0x3f, 0xff]));
    endless(socket, Buffer.from([2]), 20);
  },
};

/** Command lines against a server at `port`, with a limit of `time`. */
const lines: Readonly<Record<string, (port: number, time: string) => readonly string[]>> = {
  "fetch, of the instance": (port, time) => ["fetch", "orders/1", "--static", `orders=127.0.0.1:${port}`, "--timeout", time],
  "fetch, of Consul": (port, time) => ["fetch", "orders/1", "--consul", `http://127.0.0.1:${port}`, "--timeout", time],
  "endpoints, of Consul": (port, time) => ["endpoints", "orders", "--consul", `http://127.0.0.1:${port}`, "--timeout", time],
  "endpoints, of Eureka": (port, time) => ["endpoints", "orders", "--eureka", `http://127.0.0.1:${port}/eureka`, "--timeout", time],
  "endpoints, of DNS": (port, time) => [
    "endpoints",
    "orders",
    "--dns",
    "{service}.test",
    "--dns-server",
    `127.0.0.1:${port}`,
    "--timeout",
    time,
  ],
  "check, of Consul": (port, time) => ["check", "--consul", `http://127.0.0.1:${port}`, "--timeout", time],
  "check, of Consul by TLS": (port, time) => ["check", "--consul", `https://127.0.0.1:${port}`, "--timeout", time],
  "check, of Eureka": (port, time) => ["check", "orders", "--eureka", `http://127.0.0.1:${port}/eureka`, "--timeout", time],
  "check, of DNS": (port, time) => ["check", "orders", "--dns", "{service}.test", "--dns-server", `127.0.0.1:${port}`, "--timeout", time],
  stat: (port, time) => ["stat", "--admin", `http://127.0.0.1:${port}`, "--timeout", time],
  "stat, of a service": (port, time) => ["stat", "orders", "--admin", `http://127.0.0.1:${port}`, "--timeout", time],
  "top -o json": (port, time) => ["top", "-o", "json", "--admin", `http://127.0.0.1:${port}`, "--timeout", time],
};

const isByUdp = (line: string) => line.endsWith("DNS");
/** Heads and bodies are for those without TLS, records of TLS for the others. */
const applies = (line: string, fault: string) =>
  fault === "never answers" || (!isByUdp(line) && line.endsWith("TLS") === fault.includes("TLS"));
const cells = Object.keys(lines).flatMap((line) =>
  Object.keys(faults).flatMap((fault) => (applies(line, fault) ? [[line, fault] as const] : [])),
);

/** A command line, or `"late"` where it has not ended after `ms`. */
function within(ms: number, ended: Promise<CliResult>): Promise<CliResult | "late"> {
  return Promise.race([ended, new Promise<"late">((resolve) => setTimeout(resolve, ms, "late"))]);
}

// Each command and each adapter is loaded when it is first used, which is no part of its limit.
beforeAll(async () => {
  await Promise.all(["fetch", "endpoints", "check", "stat", "top"].map((command) => runCli([command, "--help"])));
  await Promise.all([import("../../src/registries/consul.ts"), import("../../src/registries/eureka.ts")]);
}, 60_000);

describe("a command line", () => {
  it.each(cells)("%s, ends with its --timeout where the server %s", async (line, fault) => {
    const server = await badServer(faults[fault] as never);
    // A check asks up to three questions, each with the limit.
    const result = await within(4_000, runCli(lines[line]?.(server.port, "200ms") ?? []));
    expect(result).not.toBe("late");
    expect((result as CliResult).code).not.toBe(0);
    await until("its connections are closed", () => server.open() === 0);
  });

  it.each(cells)("%s, ends when it is interrupted where the server %s", async (line, fault) => {
    const server = await badServer(faults[fault] as never);
    const stop = new AbortController();
    const { ended } = startCli(lines[line]?.(server.port, "20s") ?? [], { signal: stop.signal });
    if (!isByUdp(line)) await until("it has asked", () => server.made() > 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    stop.abort("SIGINT");
    expect(await within(2_000, ended)).toMatchObject({ code: 130 });
    await until("its connections are closed", () => server.open() === 0);
  });

  it("fetch ends when it is interrupted while it waits for its body from stdin", async () => {
    const stop = new AbortController();
    const stdin = Object.assign(new PassThrough(), { isTTY: false });
    const { ended } = startCli(["fetch", "orders/1", "--static", "orders=127.0.0.1:1", "-d", "@-"], {
      signal: stop.signal,
      stdin: stdin as never,
    });
    setTimeout(() => stop.abort("SIGINT"), 50);
    expect(await within(2_000, ended)).toMatchObject({ code: 130 });
    expect(stdin.destroyed).toBe(true);
  });
});
