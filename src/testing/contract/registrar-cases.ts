import assert from "node:assert/strict";
import { isMeshError } from "../../core/errors.ts";
import type { Instance, Registrar, Registration } from "../../registration/registrar.ts";
import type { RegistrarFeature } from "./registrar-harness.ts";

/** The fixture of a case. */
export interface RegistrarBench {
  readonly registrar: Registrar;
  readonly instance: Instance;
  /** Makes the registry lose its data; `undefined` when the harness cannot. */
  readonly forget: (() => Promise<void>) | undefined;
  /** Registers the harness's instance, with some fields changed; it is deregistered after the case. */
  register(overrides?: Partial<Instance>): Promise<Registration>;
  /** Resolves with the milliseconds until exactly the instances on these ports are listed. */
  untilListed(...ports: number[]): Promise<number>;
  /** Rejects unless exactly the instances on these ports are listed throughout `durationMs`. */
  listedThroughout(durationMs: number, ...ports: number[]): Promise<void>;
}

/** One case, and the feature that it needs. */
export type RegistrarCase = { readonly name: string; readonly needs?: RegistrarFeature; run(bench: RegistrarBench): Promise<void> };

/** The contract of every registrar, one case for each property. */
export const registrarCases: readonly RegistrarCase[] = [
  {
    name: "registers an instance, which is listed then",
    async run({ register, untilListed, instance }) {
      const registration = await register();
      assert.ok(typeof registration.id === "string" && registration.id !== "", "the registration has no id");
      assert.equal(registration.status, "up", "the status after register()");
      await untilListed(instance.port);
    },
  },
  {
    name: "begins with the initial status",
    async run({ register, untilListed, listedThroughout, instance }) {
      const registration = await register({ initialStatus: "out-of-service" });
      assert.equal(registration.status, "out-of-service", "the status after register()");
      await listedThroughout(100);
      await registration.setStatus("up");
      await untilListed(instance.port);
    },
  },
  {
    name: "uses the id it was given",
    async run({ register, instance }) {
      const id = `contract-${instance.port}`;
      assert.equal((await register({ id })).id, id);
    },
  },
  {
    name: "keeps two instances of one service apart",
    async run({ register, untilListed, instance }) {
      const first = await register();
      const second = await register({
        port: instance.port + 1,
        ...(instance.id === undefined ? undefined : { id: `${instance.id}-second` }),
      });
      assert.notEqual(first.id, second.id, "two instances have one id");
      await untilListed(instance.port, instance.port + 1);
      await first.deregister();
      await untilListed(instance.port + 1);
    },
  },
  {
    name: "deregisters an instance, which is not listed any more",
    async run({ register, untilListed, instance }) {
      const registration = await register();
      await untilListed(instance.port);
      await registration.deregister();
      await untilListed();
    },
  },
  {
    name: "deregisters when it is disposed; a second time does nothing",
    async run({ register, untilListed, instance }) {
      const registration = await register();
      await untilListed(instance.port);
      await Promise.all([registration[Symbol.asyncDispose](), registration[Symbol.asyncDispose]()]);
      await untilListed();
      await registration[Symbol.asyncDispose]();
      await registration.deregister();
      await untilListed();
    },
  },
  {
    name: "leaves an instance that is abandoned to a successor under its id, where it can",
    async run({ register, untilListed, listedThroughout, instance }) {
      const id = `contract-${instance.port}`;
      const former = await register({ id });
      await untilListed(instance.port);
      if (former.abandon === undefined) return;
      await former.abandon();
      await listedThroughout(200, instance.port);
      const successor = await register({ id });
      await former.deregister();
      await listedThroughout(300, instance.port);
      await successor.deregister();
      await untilListed();
    },
  },
  {
    name: "takes an instance out with the status out-of-service and back in with up",
    run: (bench) => outAndBack(bench, "out-of-service"),
  },
  {
    name: "takes an instance out with the status down and back in with up",
    run: (bench) => outAndBack(bench, "down"),
  },
  {
    name: "can be registered again after it was deregistered",
    async run({ register, untilListed, instance }) {
      await (await register()).deregister();
      await untilListed();
      await register();
      await untilListed(instance.port);
    },
  },
  {
    name: "comes back by itself after the registry has lost its data",
    needs: "forgetting",
    async run({ register, forget, untilListed, instance }) {
      assert.ok(forget, missing);
      await register();
      await untilListed(instance.port);
      await forget();
      await untilListed(instance.port);
    },
  },
  {
    name: "keeps its status when the registry has lost its data",
    needs: "forgetting",
    async run({ register, forget, untilListed, listedThroughout, instance }) {
      assert.ok(forget, missing);
      const registration = await register();
      await untilListed(instance.port);
      await forget();
      const tookMs = await untilListed(instance.port);
      await registration.setStatus("out-of-service");
      await untilListed();
      await forget();
      // Its return cannot be observed, since it is not listed: it is given twice the time that it took when it was up.
      await listedThroughout(2 * tookMs + 200);
      assert.equal(registration.status, "out-of-service");
      await registration.setStatus("up");
      await untilListed(instance.port);
    },
  },
  {
    name: "does not bring a deregistered instance back",
    needs: "forgetting",
    async run({ register, forget, untilListed, listedThroughout, instance }) {
      assert.ok(forget, missing);
      const registration = await register();
      await untilListed(instance.port);
      await forget();
      const tookMs = await untilListed(instance.port);
      await registration.deregister();
      await untilListed();
      await listedThroughout(2 * tookMs + 200);
    },
  },
  {
    name: "refuses an instance with an invalid port, and says so",
    async run({ registrar, instance, listedThroughout }) {
      for (const port of [0, -1, 65_536, 80.5, Number.NaN]) await refuses(registrar, { ...instance, port }, /port/i);
      await listedThroughout(0);
    },
  },
  {
    name: "refuses an instance without a service name, and says so",
    async run({ registrar, instance, listedThroughout }) {
      await refuses(registrar, { ...instance, service: "" }, /service/i);
      await listedThroughout(0);
    },
  },
  {
    name: "refuses an id by which the instance could be neither renewed nor removed, and says so",
    async run({ registrar, instance, listedThroughout }) {
      for (const id of ["", ".", "..", "a\0b", "a\tb", "a\u2028b", "a\u200bb", "a\u00a0b", "a\ud800b", "a".repeat(257)])
        await refuses(registrar, { ...instance, id }, /\bid\b/i);
      await listedThroughout(0);
    },
  },
  {
    name: "rejects with the reason when its signal has aborted, and registers nothing",
    async run({ registrar, instance, listedThroughout }) {
      const reason = new Error("not now");
      await assert.rejects(
        async () => await registrar.register(instance, AbortSignal.abort(reason)),
        (error) => error === reason || (error instanceof Error && error.cause === reason),
      );
      await listedThroughout(100);
    },
  },
];

async function outAndBack(bench: RegistrarBench, status: "out-of-service" | "down"): Promise<void> {
  const { register, untilListed, instance } = bench;
  const registration = await register();
  await untilListed(instance.port);
  await registration.setStatus(status);
  assert.equal(registration.status, status, "the status after setStatus()");
  await untilListed();
  await registration.setStatus("up");
  assert.equal(registration.status, "up", "the status after setStatus()");
  await untilListed(instance.port);
}

async function refuses(registrar: Registrar, instance: Instance, message: RegExp): Promise<void> {
  await assert.rejects(
    async () => {
      const registration = await registrar.register(instance);
      await registration.deregister();
    },
    (error) => {
      assert.ok(error instanceof Error && message.test(error.message), `the refusal does not say what is wrong: ${String(error)}`);
      const isClear =
        error instanceof TypeError || error instanceof RangeError || (isMeshError(error) && error.code === "ERR_MESH_REGISTRATION");
      assert.ok(isClear, `expected a TypeError, a RangeError or ERR_MESH_REGISTRATION, got ${error.name}: ${error.message}`);
      return true;
    },
    `${JSON.stringify(instance)} was not refused`,
  );
}

const missing = 'the harness has no forget: add it, or leave the case out with { lacks: ["forgetting"] }';
