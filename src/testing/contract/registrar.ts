import type { Registration } from "../../registration/registrar.ts";
import type { ContractTest } from "./contract.ts";
import { addressesOf, eventually, throughout } from "./eventually.ts";
import { type RegistrarCase, registrarCases } from "./registrar-cases.ts";
import type { ListedInstance, RegistrarFeature, RegistrarHarness } from "./registrar-harness.ts";

export type { ListedInstance, RegistrarFeature, RegistrarHarness } from "./registrar-harness.ts";

/** Options of {@link registrarContract}. */
export interface RegistrarContractOptions {
  /** Features that the registry under test lacks; the cases about them are left out. */
  readonly lacks?: readonly RegistrarFeature[];
}

/** The cases that every registrar passes, each with a harness of its own from `create`. */
export function registrarContract(
  create: () => Promise<RegistrarHarness>,
  options: RegistrarContractOptions = {},
): readonly ContractTest[] {
  const { lacks = [] } = options;
  return registrarCases
    .filter(({ needs }) => needs === undefined || !lacks.includes(needs))
    .map(({ name, run }) => ({ name, run: () => runCase(create, run) }));
}

async function runCase(create: () => Promise<RegistrarHarness>, run: RegistrarCase["run"]): Promise<void> {
  const harness = await create();
  const { registrar, instance, withinMs = 4_000 } = harness;
  const registrations: Registration[] = [];
  let seen: readonly ListedInstance[] = [];
  const isListed = async (ports: readonly number[]): Promise<boolean> => {
    seen = await harness.listed();
    const listed = seen.map(({ port }) => port);
    return listed.sort((one, other) => one - other).join() === [...ports].sort((one, other) => one - other).join();
  };
  const explain = (ports: readonly number[]) => (): string =>
    `expected the ports [${ports.join(", ")}] of ${instance.service} to be listed, got [${addressesOf(seen).join(", ")}]`;
  try {
    await run({
      registrar,
      instance,
      forget: harness.forget ? async () => await harness.forget?.() : undefined,
      async register(overrides = {}) {
        const registration = await registrar.register({ ...instance, ...overrides });
        registrations.push(registration);
        return registration;
      },
      untilListed: (...ports) => eventually(() => isListed(ports), withinMs, explain(ports)),
      listedThroughout: (durationMs, ...ports) => throughout(() => isListed(ports), durationMs, explain(ports)),
    });
  } finally {
    await Promise.allSettled(registrations.map((registration) => registration.deregister()));
    await harness.close();
  }
}
