import { request } from "node:http";
import { Worker } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import { gatewayTo } from "../support/gateway.ts";

const mebibyte = 1 << 20;
const size = 1_024;

test("a gibibyte passes in each direction with a bounded part of it in memory", async () => {
  // The instance has a memory of its own: what is measured is the gateway, and the client.
  const worker = new Worker(
    `const { createServer } = require("node:http");
     const { parentPort } = require("node:worker_threads");
     const part = Buffer.alloc(${mebibyte}, "x");
     const server = createServer((request, response) => {
       let bytes = 0;
       request.on("data", (chunk) => (bytes += chunk.byteLength));
       request.on("end", async () => {
         if (request.method === "PUT") return response.end(String(bytes));
         for (let index = 0; index < ${size}; index++)
           if (!response.write(part)) await new Promise((resolve) => response.once("drain", resolve));
         response.end();
       });
     });
     server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));`,
    { eval: true },
  );
  onTestFinished(() => void worker.terminate());
  const instance = await new Promise<number>((resolve) => worker.once("message", resolve));
  const { port } = await gatewayTo(instance, { maxBodyBytes: false }, { timeoutMs: false, attemptTimeoutMs: false });
  const before = process.memoryUsage().rss;
  let most = 0;
  const watching = setInterval(() => (most = Math.max(most, process.memoryUsage().rss - before)), 20);
  onTestFinished(() => clearInterval(watching));
  const got = await new Promise<number>((resolve, reject) => {
    let bytes = 0;
    request({ port, host: "127.0.0.1" }, (response) => {
      response.on("data", (chunk: Buffer) => (bytes += chunk.byteLength));
      response.on("end", () => resolve(bytes));
      response.on("error", reject);
    })
      .on("error", reject)
      .end();
  });
  expect(got).toBe(size * mebibyte);
  const part = Buffer.alloc(mebibyte, "x");
  const sent = await new Promise<string>((resolve, reject) => {
    const call = request({ port, host: "127.0.0.1", method: "PUT" }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve(text));
    });
    call.on("error", reject);
    void (async () => {
      for (let index = 0; index < size; index++) if (!call.write(part)) await new Promise((resolve_) => call.once("drain", resolve_));
      call.end();
    })();
  });
  expect(sent).toBe(String(size * mebibyte));
  expect(most).toBeLessThan(300 * mebibyte);
}, 120_000);
