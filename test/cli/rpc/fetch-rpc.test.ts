import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import * as grpc from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Orders, shopPackage } from "../../support/shop-service.ts";
import { runCli } from "../run-cli.ts";

const directory = mkdtempSync(join(tmpdir(), "inmesh-rpc-"));
const descriptors = join(directory, "shop.binpb");
const servers: grpc.Server[] = [];
const ports: Record<"reflected" | "plain", number> = { reflected: 0, plain: 0 };

async function start(hasReflection: boolean): Promise<number> {
  const server = new grpc.Server();
  server.addService(Orders.service, {
    Get: ({ request, metadata }: grpc.ServerUnaryCall<{ id: string }, unknown>, done: grpc.sendUnaryData<unknown>) =>
      request.id === "none"
        ? done({ code: grpc.status.NOT_FOUND, details: "no order none" })
        : done(null, { id: request.id, count: 2, notes: metadata.get("x-note").map(String) }),
    List: (call: grpc.ServerWritableStream<{ id: string }, unknown>) => {
      for (const id of ["a", "b"]) call.write({ id });
      call.end();
    },
    Add: (call: grpc.ServerReadableStream<unknown, unknown>, done: grpc.sendUnaryData<unknown>) => {
      let orders = 0;
      call.on("data", () => orders++);
      call.on("end", () => done(null, { orders }));
    },
    Chat: (call: grpc.ServerDuplexStream<{ id: string }, unknown>) => {
      call.on("data", ({ id }) => call.write({ id: `re: ${id}` }));
      call.on("end", () => call.end());
    },
  });
  if (hasReflection) new ReflectionService(shopPackage).addToServer(server);
  servers.push(server);
  return await new Promise((resolve) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (_error, port) => resolve(port)),
  );
}

beforeAll(async () => {
  ports.reflected = await start(true);
  ports.plain = await start(false);
  const support = join(import.meta.dirname, "../../support");
  execFileSync(join(import.meta.dirname, "../../../node_modules/.bin/buf"), ["build", support, "-o", descriptors], { stdio: "pipe" });
});
afterAll(() => {
  for (const server of servers) server.forceShutdown();
  rmSync(directory, { recursive: true, force: true });
});

const fetchIt = (target: string, ...args: readonly string[]) =>
  runCli(["fetch", target, "--static", `shop=127.0.0.1:${ports.reflected}`, "--static", `plain=127.0.0.1:${ports.plain}`, ...args]);

describe("inmesh fetch grpc://", () => {
  test("calls a method that the instance describes, and writes the answer as a line of JSON", async () => {
    const { code, stdout, stderr } = await fetchIt("grpc://shop/shop.v1.Orders/Get", "-d", '{"id":"42"}', "-H", "x-note: hello");
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toBe('{"id":"42","count":2,"notes":["hello"]}\n');
  });

  test("writes each message of a stream, and sends several", async () => {
    expect((await fetchIt("grpc://shop/shop.v1.Orders/List", "-d", "{}")).stdout).toBe('{"id":"a"}\n{"id":"b"}\n');
    expect((await fetchIt("grpc://shop/shop.v1.Orders/Add", "-d", '{"id":"1"}', "-d", '{"id":"2"}\n{"id":"3"}')).stdout).toBe(
      '{"orders":3}\n',
    );
    expect((await fetchIt("grpc://shop/shop.v1.Orders/Chat", "-d", '{"id":"1"}')).stdout).toBe('{"id":"re: 1"}\n');
  });

  test("takes messages from a file and from the standard input", async () => {
    const file = join(directory, "message.json");
    writeFileSync(file, '{\n  "id": "7"\n}');
    expect(JSON.parse((await fetchIt("grpc://shop/shop.v1.Orders/Get", "-d", `@${file}`)).stdout)).toMatchObject({ id: "7" });
    const args = ["fetch", "grpc://shop/shop.v1.Orders/Get", "--static", `shop=127.0.0.1:${ports.reflected}`, "-d", "@-"];
    expect(JSON.parse((await runCli(args, { stdin: Readable.from(['{"id":', '"8"}']) } as never)).stdout)).toMatchObject({ id: "8" });
  });

  test("uses a file of descriptors where there is no reflection, and says so where there is neither", async () => {
    const target = "grpc://plain/shop.v1.Orders/Get";
    expect(JSON.parse((await fetchIt(target, "--descriptors", descriptors, "-d", '{"id":"1"}')).stdout)).toMatchObject({ id: "1" });
    const { code, stderr } = await fetchIt(target, "-d", "{}");
    expect(code).toBe(2);
    expect(stderr).toContain("plain has no reflection (grpc.reflection.v1)");
    expect(stderr).toContain("buf build -o FILE");
  });

  test("has an exit code and a line for a status that is not OK", async () => {
    const { code, stdout, stderr } = await fetchIt("grpc://shop/shop.v1.Orders/Get", "-d", '{"id":"none"}');
    expect([code, stdout]).toEqual([4, ""]);
    expect(stderr).toBe("inmesh: shop/shop.v1.Orders/Get: NOT_FOUND: no order none\n");
    const unimplemented = await fetchIt("grpc://shop/shop.v1.Orders/Place", "-d", "{}");
    expect(unimplemented.code).toBe(5);
    expect(unimplemented.stderr).toContain("UNIMPLEMENTED");
  });

  test("reports as JSON, with the trace", async () => {
    const { stdout } = await fetchIt("grpc://shop/shop.v1.Orders/Get", "-d", '{"id":"1"}', "-o", "json", "--trace");
    expect(JSON.parse(stdout)).toMatchObject({
      target: "grpc://shop/shop.v1.Orders/Get",
      messages: [{ id: "1", count: 2 }],
      status: { code: 0, name: "OK" },
      error: null,
      trace: { decisions: [{ endpoint: expect.any(String) }] },
    });
  });

  test.each([
    ["an unknown service", ["grpc://shop/shop.v1.Order/Get"], "there is no service shop.v1.Order; did you mean shop.v1.Orders?"],
    ["an unknown method", ["grpc://shop/shop.v1.Orders/Gett"], "shop.v1.Orders has no method Gett; did you mean Get?"],
    ["no method", ["grpc://shop/shop.v1.Orders"], "names no method: grpc://SERVICE/package.Service/Method"],
    ["no JSON", ["grpc://shop/shop.v1.Orders/Get", "-d", "{id"], "--data is no JSON"],
    ["an unknown field", ["grpc://shop/shop.v1.Orders/Place", "-d", '{"coun":1}'], "did you mean count?"],
    ["a value of another type", ["grpc://shop/shop.v1.Orders/Place", "-d", '{"count":"many"}'], "shop.v1.Order.count"],
    ["two messages for one", ["grpc://shop/shop.v1.Orders/Get", "-d", "{}", "-d", "{}"], "takes one message, and --data has 2"],
    ["reserved metadata", ["grpc://shop/shop.v1.Orders/Get", "-H", "grpc-timeout: 1S"], 'the name "grpc-timeout" is reserved'],
    ["an option of HTTP", ["grpc://shop/shop.v1.Orders/Get", "-X", "PUT"], "--request is not for calls of gRPC"],
  ])("refuses %s with what to do", async (_name, args, expected) => {
    const [target = "", ...rest] = args;
    const { code, stdout, stderr } = await fetchIt(target, ...rest);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(expected);
  });

  test("says whether a call was executed where no instance answers", async () => {
    const { code, stderr } = await runCli(["fetch", "grpc://gone/shop.v1.Orders/Get", "--static", "gone=127.0.0.1:1"]);
    expect(code).toBe(6);
    expect(stderr).toContain("it was certainly not executed");
  });
});
