import { describe, expect, it } from "vitest";
import type { InstanceStatus, Registrar, Registration } from "../../../src/registration/registrar.ts";
import { type MemoryRegistry, memoryRegistry, type RegistrarHarness, registrarContract } from "../../../src/testing/index.ts";

/** A harness around a memory registry whose registrar is broken by `breakage`. */
function harnessWith(breakage: (registry: MemoryRegistry) => Partial<RegistrarHarness> & { readonly register?: Registrar["register"] }) {
  return async (): Promise<RegistrarHarness> => {
    const registry = memoryRegistry();
    const { register, ...overrides } = breakage(registry);
    return {
      registrar: { register: register ?? ((instance, signal) => registry.register(instance, signal)) },
      instance: { service: "orders", host: "127.0.0.1", port: 8080 },
      listed: async () => registry.endpoints("orders"),
      forget: async () => registry.forget(),
      close: async () => {},
      withinMs: 150,
      ...overrides,
    };
  };
}

/** A registrar whose registrations do some things in another way. */
function registering(change: (registration: Registration, registry: MemoryRegistry) => Partial<Registration>) {
  return harnessWith((registry) => ({
    async register(instance, signal) {
      const registration = await registry.register(instance, signal);
      let status: InstanceStatus = "up";
      return {
        id: registration.id,
        get status() {
          return status;
        },
        setStatus(next) {
          status = next;
          return registration.setStatus(next);
        },
        deregister: () => registration.deregister(),
        [Symbol.asyncDispose]: () => registration[Symbol.asyncDispose](),
        ...change(registration, registry),
      };
    },
  }));
}

/** A registrar without renewals, after the registry has lost its data. */
const amnesiac = harnessWith((registry) => ({ forget: async () => void registry.set("orders", []) }));

/** Registers again as `up` whatever its status was, as many clients do. */
const resetting = harnessWith((registry) => ({
  async forget() {
    registry.set("orders", []);
    registry.add("orders", { host: "127.0.0.1", port: 8080, id: "orders-127.0.0.1-8080" });
  },
}));

const lenient = harnessWith((registry) => ({
  async register(instance, signal) {
    const isWrong = !(Number.isInteger(instance.port) && instance.port > 0 && instance.port < 65_536) || instance.service === "";
    return registry.register(isWrong ? { ...instance, port: 1, service: "orders" } : instance, signal);
  },
}));

const careless = harnessWith((registry) => ({
  register: ({ id: _id, ...instance }, signal) => registry.register(instance, signal),
}));

const obscure = harnessWith((registry) => ({
  async register(instance, signal) {
    return registry.register(instance, signal).catch((error: unknown) => {
      throw error instanceof TypeError ? new Error("400 Bad Request: port or service") : error;
    });
  },
}));

const broken: readonly (readonly [name: string, how: string, create: () => Promise<RegistrarHarness>])[] = [
  ["registers an instance, which is listed then", "lists nothing", harnessWith(() => ({ listed: async () => [] }))],
  ["registers an instance, which is listed then", "has no id", registering(() => ({ id: "" }))],
  [
    "begins with the initial status",
    "registers everything as up",
    harnessWith((registry) => ({ register: ({ initialStatus: _status, ...instance }, signal) => registry.register(instance, signal) })),
  ],
  ["uses the id it was given", "makes an id up", registering(() => ({ id: "other" }))],
  [
    "keeps two instances of one service apart",
    "takes the service for the id",
    harnessWith((registry) => ({ register: (instance, signal) => registry.register({ ...instance, id: instance.service }, signal) })),
  ],
  [
    "deregisters an instance, which is not listed any more",
    "only stops the heartbeat",
    registering(() => ({ deregister: async () => {} })),
  ],
  [
    "deregisters when it is disposed; a second time does nothing",
    "does nothing when disposed",
    registering(() => ({ [Symbol.asyncDispose]: async () => {} })),
  ],
  [
    "deregisters when it is disposed; a second time does nothing",
    "fails the second time",
    registering((registration) => {
      let count = 0;
      return {
        async [Symbol.asyncDispose]() {
          if (count++ > 0) throw new Error("404: unknown instance");
          await registration.deregister();
        },
      };
    }),
  ],
  [
    "takes an instance out with the status out-of-service and back in with up",
    "keeps it listed",
    registering(() => ({ setStatus: async () => {} })),
  ],
  [
    "takes an instance out with the status out-of-service and back in with up",
    "never brings it back",
    registering((registration) => ({ setStatus: (status) => registration.setStatus(status === "up" ? "down" : status) })),
  ],
  [
    "takes an instance out with the status down and back in with up",
    "knows out-of-service only",
    registering((registration) => ({ setStatus: async (status) => (status === "down" ? undefined : registration.setStatus(status)) })),
  ],
  [
    "leaves an instance that is abandoned to a successor under its id, where it can",
    "removes it",
    registering((registration) => ({ abandon: () => registration.deregister() })),
  ],
  [
    "can be registered again after it was deregistered",
    "registers once",
    harnessWith((registry) => {
      const known = new Map<number, Registration>();
      return {
        async register(instance, signal) {
          const registration = known.get(instance.port) ?? (await registry.register(instance, signal));
          known.set(instance.port, registration);
          return registration;
        },
      };
    }),
  ],
  ["comes back by itself after the registry has lost its data", "does not look after its instance", amnesiac],
  ["keeps its status when the registry has lost its data", "registers with up again", resetting],
  ["keeps its status when the registry has lost its data", "does not look after its instance", amnesiac],
  [
    "does not bring a deregistered instance back",
    "goes on with its heartbeat",
    harnessWith((registry) => ({
      async register(instance, signal) {
        const registration = await registry.register(instance, signal);
        const { id } = registration;
        return {
          id,
          status: "up",
          setStatus: (status) => registration.setStatus(status),
          async deregister() {
            await registration.deregister();
            setTimeout(() => registry.add("orders", { id, host: "127.0.0.1", port: instance.port }), 100);
          },
          [Symbol.asyncDispose]: () => registration.deregister(),
        };
      },
    })),
  ],
  ["refuses an instance with an invalid port, and says so", "takes every port", lenient],
  ["refuses an instance with an invalid port, and says so", "passes on what the registry says", obscure],
  ["refuses an instance without a service name, and says so", "takes every name", lenient],
  ["refuses an instance without a service name, and says so", "passes on what the registry says", obscure],
  ["refuses an id by which the instance could be neither renewed nor removed, and says so", "takes every id", careless],
  ["refuses an id by which the instance could be neither renewed nor removed, and says so", "passes on what the registry says", obscure],
  [
    "rejects with the reason when its signal has aborted, and registers nothing",
    "does not look at the signal",
    harnessWith((registry) => ({ register: (instance) => registry.register(instance) })),
  ],
  [
    "rejects with the reason when its signal has aborted, and registers nothing",
    "registers all the same",
    harnessWith((registry) => ({
      async register(instance, signal) {
        const registration = await registry.register(instance);
        signal?.throwIfAborted();
        return registration;
      },
    })),
  ],
];

describe("registrarContract", () => {
  it.each(broken)("%s: fails for a registrar that %s", async (name, _how, create) => {
    const test = registrarContract(create).find((candidate) => candidate.name === name);
    await expect(test?.run()).rejects.toThrow();
  });

  it("has been seen to fail in every case", () => {
    const names = registrarContract(harnessWith(() => ({}))).map(({ name }) => name);
    expect(new Set(broken.map(([name]) => name))).toEqual(new Set(names));
  });

  it("passes what is not broken", async () => {
    for (const test of registrarContract(harnessWith(() => ({})))) await test.run();
  });

  it("leaves out what a registry lacks only when it is told to", async () => {
    const create = async (): Promise<RegistrarHarness> => {
      const { forget: _forget, ...rest } = await harnessWith(() => ({}))();
      return rest;
    };
    const outcomes = await Promise.allSettled(registrarContract(create).map(({ run }) => run()));
    const messages = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [String(outcome.reason)] : []));
    expect(messages).toHaveLength(3);
    for (const message of messages) expect(message).toContain('lacks: ["forgetting"]');
    for (const test of registrarContract(create, { lacks: ["forgetting"] })) await test.run();
  });
});
