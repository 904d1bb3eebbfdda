import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Discovery, Registrar } from "../../src/extend.ts";
import { dns, fileDiscovery } from "../../src/index.ts";
import { consul } from "../../src/registries/consul.ts";
import { eureka } from "../../src/registries/eureka.ts";
import { rejectionOf } from "../support/rejection.ts";
import { listening } from "../support/servers.ts";
import { until } from "../support/until.ts";
import { nonsense, pour, smallNonsense } from "./nonsense.ts";

const mebibyte = 2 ** 20;
/** Bytes that a connection may hold between the two processes, at most. */
const onTheWay = 12 * mebibyte;
const maxBodyBytes = 2 * mebibyte;
const registerTimeoutMs = 300;

type Registry = Discovery & Partial<Registrar>;
type Question = (registry: Registry) => Promise<unknown>;

/** A source of endpoints that asks a server, and the most bytes that it takes of one answer. */
interface Source {
  readonly of: (port: number) => Registry;
  readonly ask: Question;
  readonly takes: number;
  /** Behind the first bytes of a request. */
  readonly head: string | Buffer;
}

const signal = () => {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  return stop.signal;
};
const endpoints: Question = (registry) => registry.watch("orders", signal())[Symbol.asyncIterator]().next();
const catalogue: Question = async (registry) => registry.services?.(signal());
const registration: Question = async (registry) => registry.register?.({ service: "orders", host: "127.0.0.1", port: 4_001 }, signal());
const json = (status: string) => `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\nx-consul-index: 1\r\nconnection: close\r\n\r\n`;

const consulAt = (port: number) => consul({ url: `http://127.0.0.1:${port}`, maxBodyBytes, registerTimeoutMs });
const eurekaAt = (port: number) => eureka({ servers: [`http://127.0.0.1:${port}/eureka`], maxBodyBytes, registerTimeoutMs });
const overHttp = { takes: maxBodyBytes, head: json("200 OK") };
const sources: Readonly<Record<string, Source>> = {
  "Consul, asked for endpoints": { ...overHttp, of: consulAt, ask: endpoints },
  "Consul, asked for its catalogue": { ...overHttp, of: consulAt, ask: catalogue },
  "Consul, told of a registration": { ...overHttp, of: consulAt, ask: registration, takes: mebibyte },
  "Consul, with an error": { ...overHttp, of: consulAt, ask: endpoints, head: json("500 Internal Server Error") },
  "Eureka, asked for endpoints": { ...overHttp, of: eurekaAt, ask: endpoints },
  "Eureka, asked for its catalogue": { ...overHttp, of: eurekaAt, ask: catalogue },
  "Eureka, told of a registration": { ...overHttp, of: eurekaAt, ask: registration, takes: mebibyte },
  "Eureka, with an error": { ...overHttp, of: eurekaAt, ask: endpoints, head: json("500 Internal Server Error") },
  "DNS by TCP": {
    of: (port) => dns({ port: 80, name: "{service}.test", servers: [`127.0.0.1:${port}`], maxAttempts: 1, transport: "tcp" }),
    ask: endpoints,
    takes: 65_537,
    head: Buffer.from([0xff, 0xff]),
  },
};

/** A server that answers each request with `content`, and the bytes that it has got rid of on each connection. */
async function serving(head: string | Buffer, content: () => Generator<Buffer>) {
  const taken: number[] = [];
  let open = 0;
  const server = createServer((socket: Socket) => {
    open++;
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.write(head);
      pour(socket, content());
    });
    socket.once("close", () => {
      open--;
      taken.push(socket.bytesWritten - socket.writableLength);
    });
  });
  return { port: await listening(server), taken, open: () => open };
}

const cells = Object.entries(sources).flatMap(([name, source]) =>
  Object.entries(nonsense).map(([what, content]) => ({ name, source, what, content })),
);

describe("the answer of a registry that never ends", () => {
  it.each(cells)("is not read beyond its bound: $name, $what", async ({ source, content }) => {
    const server = await serving(source.head, content);
    const registry = source.of(server.port);
    onTestFinished(async () => registry.close?.());
    const error = (await rejectionOf(source.ask(registry))) as Error;
    // Of a message of DNS the length is part of the protocol.
    if (typeof source.head === "string") expect(error.message).toMatch(new RegExp(`(larger|more) than ${source.takes} bytes`));
    await until("its connections are closed", () => server.open() === 0 && server.taken.length > 0);
    expect(Math.max(...server.taken)).toBeLessThan(source.takes + onTheWay);
  });

  it("is refused by its size, as a file: 100 MB of JSON", async () => {
    const folder = await mkdtemp(join(tmpdir(), "inmesh-nonsense-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    for (const name of ["services.json", "services.yaml"]) {
      const path = join(folder, name);
      await writeFile(path, "[".repeat(100e6));
      const watching = fileDiscovery(path).watch("orders", signal())[Symbol.asyncIterator]().next();
      expect(await rejectionOf(watching)).toMatchObject({ message: expect.stringMatching(/100000000 bytes; \d+ are allowed/) });
    }
  });
});

describe("a registry with the bounds of its defaults", () => {
  it.each(Object.entries(smallNonsense))(
    "that answers with %s is refused or left out, in a process with 96 MiB of heap",
    async (_what, content) => {
      const server = await serving(json("200 OK"), content);
      const reader = fileURLToPath(new URL("nonsense-reader.ts", import.meta.url));
      const { stdout } = await promisify(execFile)(process.execPath, ["--max-old-space-size=96", reader, String(server.port)]);
      expect(stdout).toMatch(/^consul: .*JSON.*\neureka: (.*JSON.*|0 endpoints)\n$/);
    },
  );
});
