import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Discovery } from "../../src/discovery/discovery.ts";
import { dns } from "../../src/discovery/dns/dns.ts";
import { fileDiscovery } from "../../src/discovery/file/file.ts";
import { readLastGood, writeLastGood } from "../../src/discovery/last-good/last-good-file.ts";
import { consul } from "../../src/registries/consul.ts";
import { eureka } from "../../src/registries/eureka.ts";
import { answerTo, record, startResponder } from "../discovery/dns/dns-responder.ts";
import { entry, scriptedConsul } from "../registries/consul/scripted-consul.ts";
import { scriptedServer } from "../registries/scripted-server.ts";
import { longestTurn, threadMs } from "../support/longest-turn.ts";

/** Most hold it for less than 15 ms, on a busy machine for less than 25. Read at once, each took from 80 ms (a list in a file) to seconds. */
const limitMs = 50;
const mebibyte = 2 ** 20;
/** Just under the 32 MiB of an answer of a registry, and the 8 MiB of a file. */
const answerBytes = 32 * mebibyte - 1_000;
const fileBytes = 8 * mebibyte - 1_000;
const filled = (one: string, bytes: number): string => one.repeat(Math.floor(bytes / one.length));
const listOf = (count: number, one: (index: number) => string): string =>
  `[${Array.from({ length: count }, (_, at) => one(at)).join(",")}]`;
const fields = (count: number): string => `{${Array.from({ length: count }, (_, at) => `"key-${at}":"v"`).join(",")}}`;

/** Yields, or throws, for the first time. */
async function firstOf(discovery: Discovery): Promise<number> {
  for await (const answer of discovery.watch("orders", AbortSignal.timeout(60_000)))
    return ("endpoints" in answer ? answer.endpoints : answer).length;
  return -1;
}

/** What is to come of an input: so many endpoints, or an error that says this. */
type Expected = number | RegExp;

async function expectShort(work: () => Promise<unknown>, expected: Expected): Promise<void> {
  const { ms, result } = await longestTurn(work);
  if (typeof expected === "number") expect(result).toBe(expected);
  else expect(String(result)).toMatch(expected);
  expect(ms).toBeLessThan(limitMs);
}

const instance = (id: number): string =>
  JSON.stringify(
    entry(id, {
      service: { Meta: { text: "x".repeat(600) } },
      checks: Array.from({ length: 8 }, (_, check) => ({ CheckID: `check-${check}`, Output: "y".repeat(100), Status: "passing" })),
    }),
  );

describe.skipIf(threadMs === undefined)("the event loop is not held", { timeout: 120_000 }, () => {
  it.each<[string, () => string, Expected]>([
    ["15,000 instances", () => listOf(15_000, (at) => instance(at + 1)), 15_000],
    ["lists in lists", () => filled("[", answerBytes), /nested deeper than 64/],
    ["two million entries", () => `[${filled("{},", answerBytes)}{}]`, /more than 100000 values/],
    ["millions of small values", () => `[${filled(`${JSON.stringify(entry(1))},`, answerBytes)}1]`, /more than \d{7} values/],
    ["one string", () => JSON.stringify([{ Node: "x".repeat(answerBytes - 50) }]), /a string of more than 1048576 bytes/],
    ["escapes", () => listOf(31, () => `"${filled("\\u0041", mebibyte - 10)}"`), 0],
    ["spaces", () => `[${filled(" ", answerBytes)}]`, /more than 1048576 spaces/],
    [
      "an instance of 90,000 tags and fields",
      () => `[${instance(1).replace('"Tags":[]', `"Tags":${listOf(90_000, (at) => `"tag-${at}"`)},"Meta":${fields(90_000)}`)}]`,
      1,
    ],
  ])("by an answer of Consul with %s", async (_what, text, expected) => {
    const bytes = Buffer.from(text());
    await using server = await scriptedConsul((_request, response) => {
      response.writeHead(200, { "content-type": "application/json", "x-consul-index": "1" });
      response.end(bytes);
    });
    await expectShort(() => firstOf(consul({ url: server.url, requestTimeoutMs: 60_000 })), expected);
  });

  const registry = (applications: string): string => `{"applications":{"versions__delta":"1","application":${applications}}}`;
  const up = (id: number, more = ""): string =>
    `{"instanceId":"i${id}","status":"UP","ipAddr":"10.0.0.1","port":{"$":80,"@enabled":"true"},"vipAddress":"orders"${more}}`;
  it.each<[string, "app" | "vip", () => string, Expected]>([
    ["120,000 instances", "app", () => registry(`[{"name":"ORDERS","instance":${listOf(120_000, (at) => up(at))}}]`), /^\d{5}$/],
    ["120,000 instances by vip", "vip", () => registry(`[{"name":"ORDERS","instance":${listOf(120_000, (at) => up(at))}}]`), /^\d{5}$/],
    ["metadata of 90,000 fields", "app", () => registry(`[{"name":"ORDERS","instance":[${up(1, `,"metadata":${fields(90_000)}`)}]}]`), 1],
    ["one name 100,000 times", "app", () => registry(listOf(100_000, () => '{"name":"ORDERS","instance":[{}]}')), 0],
    ["lists in lists", "app", () => registry(filled("[", answerBytes - 100)), /nested deeper than 64/],
    ["one name", "app", () => registry(`[{"name":"${filled("x", answerBytes - 200)}"}]`), /a string of more than 1048576 bytes/],
  ])("by an answer of Eureka with %s", async (_what, by, text, expected) => {
    const bytes = Buffer.from(text());
    await using server = await scriptedServer(
      (request) => request,
      (_request, response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": bytes.length });
        response.end(bytes);
      },
    );
    await expectShort(() => firstOf(eureka({ servers: [`${server.origin}/eureka`], requestTimeoutMs: 60_000, by })), expected);
  });

  const address = '"host":"10.0.0.1","port":80';
  const lines = Array.from({ length: 7_000 }, (_, at) => `  - host: 10.0.0.1\n    port: ${at + 1}\n`).join("");
  it.each<[string, string, () => string, Expected]>([
    [
      "10,000 instances",
      "a.json",
      () => `{"orders":${listOf(10_000, (at) => `{"id":"${at}",${address},"metadata":{"a":"${"x".repeat(700)}"}}`)}}`,
      10_000,
    ],
    ["250,000 instances", "a.json", () => `{"orders":${listOf(250_000, () => `{${address}}`)}}`, /more than 100000 values/],
    ["90,000 services", "a.json", () => `{${Array.from({ length: 90_000 }, (_, at) => `"s${at}":[{${address}}]`).join(",")}}`, 0],
    ["lists in lists", "a.json", () => filled("[", fileBytes), /nested deeper than 64/],
    ["7,000 instances", "a.yaml", () => `orders:\n${lines}`, 7_000],
    [
      "3,000 services without a value",
      "a.yaml",
      () => `{${Array.from({ length: 3_000 }, (_, at) => `k${at},`).join("")}}`,
      /k0 must be a list/,
    ],
    // Some versions of Node end the process where the package goes down so deep.
    ["a short one of lists in lists", "a.yaml", () => filled("[", 2_048), /nested deeper than 64/],
    ["a short one of lists in lists by indentation", "a.yaml", () => filled("- ", 2_048), /nested deeper than 64/],
    ["a long one of lists in lists", "a.yaml", () => filled("- ", 262_000), /nested deeper than 64/],
  ])("by a file with %s (%s)", async (_what, name, text, expected) => {
    const directory = await mkdtemp(join(tmpdir(), "inmesh-held-"));
    onTestFinished(() => rm(directory, { recursive: true }));
    await writeFile(join(directory, name), text());
    await expectShort(() => firstOf(fileDiscovery(join(directory, name))), expected);
  });

  it("by a catalogue of Consul with 90,000 names", async () => {
    const bytes = Buffer.from(`{${Array.from({ length: 90_000 }, (_, at) => `"service-${at}":[]`).join(",")}}`);
    await using server = await scriptedConsul((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(bytes);
    });
    const registry = consul({ url: server.url, requestTimeoutMs: 60_000 });
    await expectShort(async () => (await registry.services?.(AbortSignal.timeout(60_000)))?.length, 90_000);
  });

  it("by an answer of DNS as large as one can be", async () => {
    const answers = Array.from({ length: 2_300 }, (_, at) => record("A", "orders.test", `10.0.${at >> 8}.${at & 255}`, 1));
    // Made in the first of the runs, of which the least counts: the server is in this process.
    let bytes: Buffer | undefined;
    await using responder = await startResponder((asked) => {
      if (asked.type !== "A") return { answers: [] };
      bytes ??= answerTo(asked, { answers });
      const answer = Buffer.from(bytes);
      answer.writeUInt16BE(asked.id);
      return answer;
    });
    const options = { transport: "tcp", timeoutMs: 5_000, servers: [responder.address] } as const;
    const discovery = dns({ type: "A", port: 80, name: "{service}.test", ...options });
    await expectShort(() => firstOf(discovery), 256);
    expect(bytes?.byteLength).toBeGreaterThan(60_000);
  });

  it("by a file with last good endpoints that is written or read", async () => {
    const directory = await mkdtemp(join(tmpdir(), "inmesh-held-"));
    onTestFinished(() => rm(directory, { recursive: true }));
    const metadata = { text: "x".repeat(750) };
    const endpoints = Array.from({ length: 10_000 }, (_, at) => ({ id: `i${at}`, host: "10.0.0.1", port: 80, metadata }));
    await expectShort(() => writeLastGood(join(directory, "a"), { service: "orders", savedAt: 1, endpoints }), /undefined/);
    await expectShort(async () => (await readLastGood(join(directory, "a"), "orders")).endpoints.length, 10_000);
  });
});
