import { createServer } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { Cancellation } from "../../../src/core/cancellation.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { settleWire } from "../../../src/core/connection-options.ts";
import { connect, type OpenConnection } from "../../../src/rotation/health/health-check-connection.ts";
import { testUpstream } from "../../../src/testing/request.ts";
import { staticIdentity } from "../../../src/wire/identity/client-identity.ts";
import { InstanceConnector } from "../../../src/wire/instance-connector.ts";

const connector = new InstanceConnector({ identity: staticIdentity(), clock: systemClock });
const wire = settleWire({});
const open: OpenConnection = (upstream, alpn, opened) => connector.open(upstream, wire, { alpn, isForRequests: false }, opened);

it("a host is connected to by the same rules as for requests, with TLS too", async () => {
  for (const secure of [false, true])
    await expect(connect(open, testUpstream({ host: "169.254.169.254", secure }), [], new Cancellation())).rejects.toMatchObject({
      code: "EADDRNOTALLOWED",
    });
});

it("a check that is cancelled before it begins makes no connection that stays", async () => {
  let accepted = 0;
  const server = createServer((socket) => {
    accepted++;
    socket.on("close", () => accepted--);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  const { port } = server.address() as { port: number };
  const cancellation = new Cancellation();
  cancellation.cancel(new Error("stopped"));
  await expect(connect(open, testUpstream({ port }), [], cancellation)).rejects.toThrow("stopped");
  await new Promise((resolve) => setImmediate(resolve));
  expect(accepted).toBe(0);
});
