import { Authority } from "../../support/odd-authority.ts";
import { Certificates, shopId } from "../rig/certificates.ts";
import { exactly, noneFailed } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";

const hourMs = 3_600_000;

/** Beside three honest instances there are five whose certificate is not the one of an instance. */
export const F60 = fault({
  id: "F60",
  name: "server-certificate-refused",
  clients: 1,
  async setup(world) {
    const certificates = await Certificates.create(world);
    await world.shop(3, { tls: await certificates.ofInstance() }, 0);
    const expired = { notBefore: new Date(Date.now() - 2 * hourMs), notAfter: new Date(Date.now() - hourMs) };
    const bad = [
      await certificates.ofInstance(expired),
      await certificates.ofInstance({ uris: [], dnsNames: ["shop"], ips: ["127.0.0.1"] }),
      await certificates.ofInstance({ uris: [`${shopId}-admin`] }),
      await certificates.ofInstance({}, await Authority.create("chaos")),
      await certificates.ofInstance({ uris: [shopId, `${shopId}-admin`] }),
    ];
    for (const tls of bad) await world.shop(1, { tls }, 1);
  },
  inject: () => {},
  expect: (outcome, _state, { faulty }) => [
    noneFailed(outcome),
    exactly("requests that they got", outcome.journal.filter(({ instance }) => faulty.includes(instance)).length, 0),
  ],
});
