import { Certificates } from "../rig/certificates.ts";
import { atLeast, ejections, exactly, failures } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";

/** The certificate of the clients ends, since what renews it is dead, and comes later. */
export const F62 = fault({
  id: "F62",
  name: "identity-expires",
  minSeconds: 12,
  clients: 1,
  async setup(world) {
    const certificates = await Certificates.create(world);
    await world.shop(3, { tls: await certificates.ofInstance() }, 0);
    return certificates;
  },
  inject: (certificates) => certificates.renewClients({ notAfter: new Date(Date.now() + 2_000) }),
  heal: (certificates) => certificates.renewClients(),
  expect(outcome) {
    const failed = failures(outcome);
    return [
      atLeast("failed for want of an identity", failed.filter(({ error }) => error === "ERR_MESH_IDENTITY").length, 5),
      exactly("failed otherwise", failed.filter(({ error }) => error !== "ERR_MESH_IDENTITY").length, 0),
      exactly("said that they may have been executed", failed.filter(({ maybeExecuted }) => maybeExecuted !== false).length, 0),
      exactly("ejections", ejections(outcome), 0),
    ];
  },
});
