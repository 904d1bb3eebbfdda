import { createServer } from "node:net";
import { expect, it, onTestFinished, vi } from "vitest";
import { Cancellation } from "../../../src/core/cancellation.ts";
import { connect } from "../../../src/rotation/health/health-check-connection.ts";
import { testUpstream } from "../../../src/testing/request.ts";
import { staticIdentity } from "../../../src/wire/client-identity.ts";
import { guardedLookup } from "../../../src/wire/guarded-lookup.ts";

vi.mock("../../../src/wire/guarded-lookup.ts", () => ({
  guardedLookup: vi.fn((_host: string, _options: object, callback: (error: Error) => void) => callback(new Error("guarded"))),
}));

const tls = staticIdentity();

it("a host name is resolved with the same guard as for requests, with TLS too", async () => {
  for (const secure of [false, true])
    await expect(connect(testUpstream({ host: "localhost", secure }), tls, [], new Cancellation())).rejects.toThrow("guarded");
  expect(vi.mocked(guardedLookup)).toHaveBeenCalledTimes(2);
});

it("a check that is cancelled before it begins makes no connection that stays", async () => {
  let open = 0;
  const server = createServer((socket) => {
    open++;
    socket.on("close", () => open--);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  const { port } = server.address() as { port: number };
  const cancellation = new Cancellation();
  cancellation.cancel(new Error("stopped"));
  await expect(connect(testUpstream({ port }), tls, [], cancellation)).rejects.toThrow("stopped");
  await new Promise((resolve) => setImmediate(resolve));
  expect(open).toBe(0);
});
