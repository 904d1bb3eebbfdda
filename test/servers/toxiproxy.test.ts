import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { available } from "./available.ts";
import { isAlive } from "./is-alive.ts";
import { requestJson } from "./json-request.ts";
import { startToxiproxy, type ToxicLink, type ToxiproxyServer } from "./toxiproxy.ts";

describe.skipIf(!available("toxiproxy"))("A real toxiproxy", { timeout: 60_000 }, () => {
  const behind = createServer((_, response) => response.end('"here"'));
  let proxy: ToxiproxyServer;
  let link: ToxicLink;
  beforeAll(async () => {
    await new Promise<void>((resolve) => behind.listen(0, "127.0.0.1", resolve));
    proxy = await startToxiproxy();
    link = await proxy.link(`127.0.0.1:${(behind.address() as AddressInfo).port}`);
  }, 60_000);
  afterAll(async () => {
    behind.closeAllConnections();
    behind.close();
    await proxy?.stop();
  });

  const ask = (timeoutMs: number) => requestJson(`http://${link.host}:${link.port}/`, { signal: AbortSignal.timeout(timeoutMs) });

  it("passes everything on", async () => {
    expect(await ask(10_000)).toBe("here");
  });

  it("swallows every byte while it is told to, and passes on again when it is healed", async () => {
    await link.poison({ type: "timeout", attributes: { timeout: 0 } });
    await expect(ask(300)).rejects.toThrow(/abort|timeout|hang up/i);
    await link.heal();
    expect(await ask(10_000)).toBe("here");
  });

  it("breaks connections off", async () => {
    await link.poison({ type: "reset_peer", attributes: { timeout: 0 } });
    await expect(ask(10_000)).rejects.toThrow(/ECONNRESET|hang up/);
    await link.heal();
    expect(await ask(10_000)).toBe("here");
  });

  it("leaves no process behind when it is stopped", async () => {
    const { pid } = proxy;
    await proxy.stop();
    expect(isAlive(pid)).toBe(false);
  });
});
