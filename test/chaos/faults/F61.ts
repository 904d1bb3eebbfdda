import { setTimeout as pause } from "node:timers/promises";
import { Certificates } from "../rig/certificates.ts";
import { atLeast, noneFailed } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import type { World } from "../rig/world.ts";

const rotationMs = 2_000;
/** A rotation, the grace, a reading of the files, and the whole seconds of certificates, three times over on a busy machine. */
const maxClientAgeMs = 3 * (rotationMs + 1_000 + 1_000);

/** The certificates of the clients are renewed every two seconds, and the authority of all is replaced by another one. */
export const F61 = fault({
  id: "F61",
  name: "client-certificate-rotates",
  minSeconds: 20,
  clients: 1,
  from: 0.02,
  async setup(world) {
    const certificates = await Certificates.create(world);
    await world.shop(3, { tls: { ...(await certificates.ofInstance()), maxClientAgeMs } }, 0);
    return { certificates, rotations: { count: 0, end: false } };
  },
  inject({ certificates, rotations }, world) {
    const rotating = rotate(certificates, rotations, world);
    world.own({
      async [Symbol.asyncDispose]() {
        rotations.end = true;
        await rotating;
      },
    });
  },
  // An instance answers 403 on a connection whose client certificate should be gone.
  expect: (outcome, { rotations }) => [noneFailed(outcome), atLeast("rotations", rotations.count, 4)],
});

async function rotate(certificates: Certificates, rotations: { count: number; end: boolean }, world: World): Promise<void> {
  const renewInstances = async (): Promise<void> => {
    for (const instance of world.instances)
      await instance.order({ type: "tls", tls: { ...(await certificates.ofInstance()), maxClientAgeMs } });
  };
  while (!rotations.end) {
    if (rotations.count === 2) {
      await certificates.addAuthority();
      const [instance] = world.instances;
      if (instance === undefined) return;
      // All trust both before anything of the new one is shown.
      await trustOfInstances(certificates, world);
      await pause(500);
      await renewInstances();
    }
    if (rotations.count === 4) {
      certificates.dropAuthority();
      await renewInstances();
    }
    await certificates.renewClients();
    rotations.count++;
    for (let ms = 0; ms < rotationMs && !rotations.end; ms += 100) await pause(100);
  }
}

async function trustOfInstances(certificates: Certificates, world: World): Promise<void> {
  const { ca } = await certificates.ofInstance();
  for (const instance of world.instances) await instance.order({ type: "trust", ca });
}
