import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createMesh } from "../../src/index.ts";
import { available } from "../servers/available.ts";
import { until } from "../support/until.ts";
import { realRegistries, registryNames } from "./real-registries.ts";

const timeout = 120_000;
const refreshMs = 1_000;
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}, timeout);

for (const name of registryNames) {
  describe.skipIf(!available(name))(`the age of what a real ${name} says`, { timeout }, () => {
    it("stays small while nothing changes, grows while the registry stands still, and is small again afterwards", async () => {
      const instance = createServer((_request, response) => response.end("ok")).listen(0, "127.0.0.1");
      cleanups.push(() => instance.close());
      await until("the instance listens", () => instance.listening);
      const { server, discovery, list } = await realRegistries[name](refreshMs);
      cleanups.push(() => server.stop());
      await list([(instance.address() as AddressInfo).port]);
      const mesh = createMesh({ discovery });
      cleanups.push(() => mesh.close());
      const answers = (): Promise<boolean> =>
        mesh
          .fetch("shop/")
          .then(({ ok }) => ok)
          .catch(() => false);
      await until("the instance is listed", answers, 30_000);
      const age = (): number => mesh.explain("shop")?.ageMs ?? expect.fail("the shop has no age");

      // Each confirmation shows as an age that is less than the one before.
      let confirmations = 0;
      let oldest = 0;
      let before = age();
      await until(
        "five confirmations",
        () => {
          const now = age();
          oldest = Math.max(oldest, now);
          if (now < before) confirmations++;
          before = now;
          return confirmations >= 5;
        },
        20 * refreshMs,
      );
      // An interval is up to a sixteenth (Consul) or a tenth (Eureka) longer; the rest is for a busy machine.
      expect(oldest).toBeLessThan(2 * refreshMs);

      server.pause();
      await until("the age of four intervals", () => age() > 4 * refreshMs, 20 * refreshMs);
      expect(await answers()).toBe(true);

      server.resume();
      await until("a new confirmation", () => age() < refreshMs, 60_000);
      expect(mesh.explain("shop")?.endpoints).toHaveLength(1);
    });
  });
}
