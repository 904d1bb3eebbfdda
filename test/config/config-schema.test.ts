import fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { schemaText, writtenSchema } from "../../docs/config-schema.ts";

describe("config.schema.json", () => {
  let app: FastifyInstance;

  beforeAll(async () => {
    app = fastify({ ajv: { customOptions: { strict: false, removeAdditional: false, coerceTypes: false, useDefaults: false } } });
    app.post("/", { schema: { body: JSON.parse(writtenSchema()) as object } }, () => "taken");
    await app.ready();
  });
  afterAll(async () => await app.close());

  const statusOf = async (text: string): Promise<number> => {
    const { statusCode } = await app.inject({ method: "POST", url: "/", payload: parse(text) as object });
    return statusCode;
  };

  test("is what the tables of the options make (`node docs/config-schema.ts --write`)", () => {
    expect(writtenSchema()).toBe(schemaText());
  });

  test.each([
    "discovery: consul",
    "{ discovery: { fallback: { primary: consul, secondary: { file: a.yaml } } }, zone: a }",
    "{ discovery: consul, picker: { ringHash: { virtualNodes: 200, hashKey: { header: x } } } }",
    "{ discovery: consul, picker: { mine: { depth: 1 } }, hedge: false, retry: { maxAttempts: 2 } }",
    "{ discovery: consul, timeoutMs: '${env:LIMIT}', authorize: '${code:allowed}' }",
    "{ discovery: consul, concurrency: { maxInFlight: { gradient2: {} } }, services: { orders: { timeoutMs: false } } }",
    "{ discovery: consul, observers: [openTelemetry, { prometheus: {} }], identity: workloadApi }",
  ])("takes %s", async (text) => {
    expect(await statusOf(text)).toBe(200);
  });

  test.each([
    "zone: a",
    "{ discovery: consul, timeout: 5 }",
    "{ discovery: consul, retry: { maxAttempts: 0 } }",
    "{ discovery: consul, retry: { maxAttempts: 1.5 } }",
    "{ discovery: consul, retry: true }",
    "{ discovery: consul, picker: { ringHash: { virtualNode: 1 } } }",
    "{ discovery: consul, picker: { ringHash: {}, random: {} } }",
    "{ discovery: consul, services: { orders: { zone: a } } }",
    "{ discovery: consul, authorize: allowed }",
    "{ discovery: consul, protocol: h3 }",
  ])("refuses %s", async (text) => {
    expect(await statusOf(text)).toBe(400);
  });
});
