import { atLeast, atMost, noneFailed } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import type { ProcessFigures } from "../rig/records.ts";
import type { Instance } from "../rig/world.ts";

interface Unread {
  readonly answered: number;
  readonly before: ProcessFigures;
  readonly during: ProcessFigures;
  readonly after: ProcessFigures;
}

const count = 300;

/** Three hundred bodies of 1 MiB that nobody reads. */
export const F66 = fault({
  id: "F66",
  name: "unread-bodies",
  minSeconds: 8,
  maxRps: 50,
  clients: 1,
  async setup(world): Promise<{ readonly instances: readonly Instance[]; unread: Unread | undefined }> {
    // Whose bodies are left is no part of the ledger, which the metrics are compared with.
    world.load = { hasMetrics: false };
    return { instances: await world.shop(5, {}, 0), unread: undefined };
  },
  async inject(state, world) {
    state.unread = await world.clients[0]?.ask<Unread>({ type: "unread", count, holdMs: 1_500 }, "unread");
  },
  expect: (outcome, { unread }) => [
    noneFailed(outcome),
    atLeast("bodies left unread", unread?.answered ?? 0, count),
    // The bodies are 300 MiB; what the mesh may hold of each is a few pieces of 64 KiB.
    atMost("memory more while they wait, MiB", (unread?.during.rssMb ?? Number.NaN) - (unread?.before.rssMb ?? 0), 100),
    // undici opens a connection anew for each one that it had to close, and keeps it while the server's Keep-Alive says so.
    atMost("descriptors more once they are cancelled", (unread?.after.fds ?? Number.NaN) - (unread?.before.fds ?? 0), count + 100),
  ],
});
