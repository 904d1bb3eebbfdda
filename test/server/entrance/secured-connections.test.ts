import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer as createPlain } from "node:http";
import { connect as connectHttp2, createSecureServer } from "node:http2";
import { Agent, request as send } from "node:https";
import { type AddressInfo, connect as connectNet, createServer as createNetServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { Authority } from "../../support/authority.ts";
import { until } from "../../support/until.ts";
import { credentialsOf, GivenIdentity, secured } from "./secured.ts";

const renewMs = 200;

async function fleet() {
  const [first, second] = [await Authority.create("first"), await Authority.create("second")];
  const own = await first.issue({ uris: ["spiffe://td/orders"] });
  const renewed = await second.issue({ uris: ["spiffe://td/orders"] });
  const web = await first.issue({ uris: ["spiffe://td/web"] });
  const both = new Map([["td", [first.certificate, second.certificate]]]);
  const source = new GivenIdentity(credentialsOf(own, { bundles: both }));
  const tls = { cert: web.chain, key: web.key, ca: [first.certificate, second.certificate], checkServerIdentity: () => undefined };
  return { first, second, own, renewed, both, source, tls };
}

test("new certificates are shown to new connections, those of the old ones end within the time, and no POST is lost", async () => {
  const { own, renewed, both, source, tls } = await fleet();
  const { port, seen } = await secured({ identity: source, callers: { renewMs } }, createPlain({ keepAliveTimeout: 60_000 }));
  const agent = new Agent({ keepAlive: true, maxSockets: 8, ...tls });
  onTestFinished(() => agent.destroy());
  const shown = new Map<string, number>();
  const failures: unknown[] = [];
  let sent = 0;
  let isOver = false;
  const post = (): Promise<void> =>
    new Promise((resolve) => {
      sent++;
      const request = send({ port, host: "127.0.0.1", method: "POST", agent }, (response) => {
        const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate();
        shown.set(serialNumber, (shown.get(serialNumber) ?? 0) + 1);
        response.resume().once("end", resolve);
      });
      request.once("error", (error) => {
        failures.push(error);
        resolve();
      });
      request.end("body");
    });
  const load = Array.from({ length: 8 }, async () => {
    while (!isOver) await post();
  });
  const serials: string[] = [];
  for (const issued of [own, renewed, own, renewed]) {
    source.update(credentialsOf(issued, { bundles: both }));
    const serial = new X509Certificate(issued.certificate).serialNumber;
    await until("the new certificate is shown", () => shown.has(serial));
    serials.push(serial);
    shown.clear();
  }
  await pause(renewMs * 2);
  // The time is over: no connection shows the certificate of before.
  shown.clear();
  await until("requests have come", () => [...shown.values()].reduce((sum, count) => sum + count, 0) > 50);
  isOver = true;
  await Promise.all(load);
  expect([...shown.keys()]).toEqual(serials.slice(-1));
  expect(failures).toEqual([]);
  expect(seen).toHaveLength(sent);
});

test("a connection that rests, and a session of HTTP/2, end too; a stream under way is answered", async () => {
  const { second, renewed, source, tls } = await fleet();
  const { port, server } = await secured({ identity: source, callers: { renewMs } }, createSecureServer({ allowHTTP1: true }));
  const held: (() => void)[] = [];
  server.removeAllListeners("request");
  (server as import("node:http").Server).on("request", (_request, response) => void held.push(() => response.end("late")));
  const session = connectHttp2(`https://127.0.0.1:${port}`, tls);
  onTestFinished(() => session.destroy());
  const stream = session.request({ ":path": "/" });
  stream.setEncoding("utf8");
  const text = new Promise((resolve) => stream.once("data", resolve));
  const gone = new Promise((resolve) => session.once("goaway", resolve));
  await until("the request is under way", () => held.length === 1);
  // The bundle of the caller's authority is taken away, too.
  source.update(credentialsOf(renewed, { bundles: new Map([["td", [second.certificate]]]) }));
  await gone;
  held[0]?.();
  expect(await text).toBe("late");
  await until("the session has ended", () => session.destroyed);
});

test("a connection ends too whose handshake had begun before the change and ended after it", async () => {
  const { renewed, both, source, tls } = await fleet();
  const { port } = await secured({ identity: source, callers: { renewMs } }, createPlain({ keepAliveTimeout: 60_000 }));
  // Holds back what the client sends after its first message, until the identity has changed.
  let release = (): void => {};
  const way = createNetServer((near) => {
    const far = connectNet(port, "127.0.0.1");
    far.pipe(near);
    near.once("data", (first) => {
      far.write(first);
      near.pause();
      release = () => void near.pipe(far);
    });
    for (const end of [near, far]) end.on("error", () => {});
  });
  await new Promise<void>((resolve) => void way.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void way.close());
  const client = connectTls({ port: (way.address() as AddressInfo).port, host: "127.0.0.1", ...tls });
  client.on("error", () => {});
  await once(client, "secureConnect");
  source.update(credentialsOf(renewed, { bundles: both }));
  release();
  await once(client.resume(), "end");
  client.destroy();
});
