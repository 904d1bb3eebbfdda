import { once } from "node:events";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { ask, guarded, Held, served } from "../inbound/served.ts";

/** Sends requests at once on one connection, of which only the first has its turn. */
async function pipelined(port: number, count: number) {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  socket.resume().write("GET / HTTP/1.1\r\nhost: a\r\n\r\n".repeat(count));
  return socket;
}

test.each(["serve", "a middleware"] as const)(
  "responses that wait behind one whose client has gone hold no place, behind %s",
  async (door) => {
    const held = new Held();
    const inbound = { concurrency: { maxInFlight: 20, queueTimeoutMs: 1 } };
    const { port } = door === "serve" ? await served({ inbound }, held.listener) : await guarded(inbound, held.listener);
    for (let round = 0; round < 3; round++) {
      held.requests.length = 0;
      const socket = await pipelined(port, 15);
      await expect.poll(() => held.requests.length).toBe(15);
      socket.destroy();
      await expect.poll(() => held.requests[0]?.request.destroyed).toBe(true);
    }
    const answer = ask(port);
    await expect.poll(() => held.requests.length).toBe(16);
    held.requests.at(-1)?.answer();
    expect((await answer).status).toBe(200);
  },
);

test("a stop does not wait for responses whose connection has closed before their turn", async () => {
  const held = new Held();
  const { port, serving } = await served({ inbound: false, graceMs: 60_000 }, held.listener);
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on("warning", onWarning);
  onTestFinished(() => void process.off("warning", onWarning));
  const socket = await pipelined(port, 30);
  await expect.poll(() => held.requests.length).toBe(30);
  socket.destroy();
  const startedAt = performance.now();
  expect((await serving.stop()).cutOff).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  expect(warnings.filter(({ name }) => name === "MaxListenersExceededWarning")).toEqual([]);
});
