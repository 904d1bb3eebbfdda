import { afterEach, describe, expect, it } from "vitest";
import { eureka } from "../../../src/registries/eureka.ts";
import { endpointsIn } from "../../discovery/sources.ts";
import { ManualClock } from "../manual-clock.ts";
import { listedInstance, registryOf, type ScriptedAnswer, type ScriptedEureka, scriptedEureka } from "./scripted-eureka.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const one = (app: string, port: number) => listedInstance({ app, instanceId: `${app}:${port}`, port: { $: port, "@enabled": "true" } });
const padding = (bytes: number) => listedInstance({ app: "OTHERS", metadata: { padding: "x".repeat(bytes) } });

/** A server of a registry of about `bytes`, watched from a clock that stands. */
async function rig(bytes: number, application: (app: string) => ScriptedAnswer = (app) => single(app)) {
  const apps = Array.from({ length: 10 }, (_, i) => one(`APP${i}`, 8_000 + i));
  const server: ScriptedEureka = await scriptedEureka(({ path }) => {
    const app = path.replace("/eureka/apps/", "");
    return app === "" ? { body: registryOf(...apps, padding(bytes)) } : application(app);
  });
  cleanups.push(() => server[Symbol.asyncDispose]());
  const clock = new ManualClock();
  const registry = eureka({ servers: [server.url], refreshMs: 1_000, clock, random: () => 0.5 });
  const controller = new AbortController();
  cleanups.push(() => controller.abort());
  const watch = (service: string) => {
    const iterator = registry.watch(service, controller.signal)[Symbol.asyncIterator]();
    return async () => endpointsIn((await iterator.next()).value ?? []).map(({ port }) => port);
  };
  /** The paths below `/apps/` that were fetched since the last call. */
  let told = 0;
  const fetched = () => {
    const paths = server.seen.slice(told).map(({ path }) => path.replace("/eureka/apps/", ""));
    told = server.seen.length;
    return paths.sort();
  };
  /** The next answer of each watch, which comes with the next fetch. */
  const round = async (...watches: readonly (() => Promise<readonly number[]>)[]) => {
    const answers = watches.map((next) => next());
    await expect.poll(() => clock.delays.filter((ms) => ms <= 1_000).length).toBeGreaterThanOrEqual(watches.length);
    clock.advance(1_000);
    return await Promise.all(answers);
  };
  return { watch, fetched, round, registry };
}

const single = (app: string): ScriptedAnswer => ({
  body: JSON.stringify({ application: { name: app, instance: [one(app, 9_000), one(app, 9_001)] } }),
});

describe("the copies of the Eureka registry", () => {
  it("are of the whole registry while it is small", async () => {
    const { watch, fetched, round } = await rig(1_000);
    const next = watch("app0");
    expect(await next()).toEqual([8_000]);
    expect(await round(next)).toEqual([[8_000]]);
    expect(fetched()).toEqual(["", ""]);
  });

  it("are of single applications once the registry was large, for each watch at the pace of the whole", async () => {
    const { watch, fetched, round } = await rig(2_000_000);
    const first = watch("app0");
    expect(await first()).toEqual([8_000]);
    const second = watch("app1");
    // The fresh copy of the whole is not used for it: it would be fetched again for its next answer.
    expect(await second()).toEqual([9_000, 9_001]);
    expect(fetched()).toEqual(["", "APP1"]);
    expect(await round(first, second)).toEqual([
      [9_000, 9_001],
      [9_000, 9_001],
    ]);
    expect(fetched()).toEqual(["APP0", "APP1"]);
  });

  it("are of the whole again when many services are watched", async () => {
    const { watch, fetched } = await rig(2_000_000);
    const watches = Array.from({ length: 9 }, (_, i) => watch(`app${i}`));
    await watches[0]?.();
    for (const next of watches.slice(1)) await next();
    expect(fetched()).toEqual(["", "APP1", "APP2", "APP3", "APP4", "APP5", "APP6", "APP7"]);
  });

  it.each([404, 405])("are of the whole when a server answers %d to an application, which it may not know or not have", async (status) => {
    const { watch, fetched, round } = await rig(2_000_000, () => ({ status }));
    const next = watch("app0");
    await next();
    expect(await round(next)).toEqual([[8_000]]);
    expect(fetched()).toEqual(["", "", "APP0"]);
  });

  it("fail with the name of the application when no server answers well", async () => {
    const { watch, round } = await rig(2_000_000, () => ({ status: 500 }));
    const next = watch("app0");
    await next();
    await expect(round(next)).rejects.toThrow(/^eureka: could not fetch the application APP0: .*: answered 500$/);
  });

  it("list the names of the whole registry", async () => {
    const { watch, registry } = await rig(2_000_000);
    await watch("app0")();
    expect(await registry.services(new AbortController().signal)).toContain("app9");
  });
});
