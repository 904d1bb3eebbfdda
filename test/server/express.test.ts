import type { AddressInfo } from "node:net";
import express from "express";
import { expect, test } from "vitest";
import { serve } from "../../src/server/server.ts";

test("what app.listen() of Express 5 returns is stopped without losing a request", async () => {
  const app = express();
  let answer: (() => void) | undefined;
  app.get("/slow", (_request, response) => {
    answer = () => response.json({ slow: true });
  });
  app.get("/", (_request, response) => void response.send("ok"));
  const server = app.listen(0, "127.0.0.1");
  const serving = serve(server, { signals: [], log: false, lameDuckMs: 200 });
  await serving.started;
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const slow = fetch(`${url}/slow`);
  await expect.poll(() => answer).toBeDefined();
  const stopped = serving.stop();
  const meanwhile = await fetch(url);
  expect([meanwhile.headers.get("connection"), await meanwhile.text()]).toEqual(["close", "ok"]);
  await expect.poll(() => serving.state).toBe("draining");
  answer?.();
  expect(await (await slow).json()).toEqual({ slow: true });
  expect(await stopped).toMatchObject({ cutOff: 0, problems: [] });
});
