// A custom picker: a share of the requests goes to instances of a new release, the rest to all other instances.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createMesh, staticDiscovery } from "inmesh";
import type { Picker, Random, Upstream } from "inmesh/extend";
import { pickerContract, seededRandom } from "inmesh/testing";

interface CanaryOptions {
  /** The share of the requests that instances with the metadata `release: "canary"` get, from 0 to 1. */
  readonly ratio: number;
  /** Returns numbers from 0 to below 1. @default that of the mesh */
  readonly random?: Random | undefined;
}

interface Split {
  readonly canaries: readonly Upstream[];
  readonly others: readonly Upstream[];
}

function canary({ ratio, random }: CanaryOptions): Picker {
  const draw = random ?? Math.random;
  // By list: where priorities or zones share the load there are several. An entry is collected with its list.
  const splits = new WeakMap<readonly Upstream[], Split>();
  return {
    // The candidates have changed: work is done here, once, and not for each request.
    update(upstreams) {
      splits.set(upstreams, split(upstreams));
    },
    pick(upstreams) {
      // A retry picks from a part of a list, which `update` has not seen.
      const { canaries, others } = splits.get(upstreams) ?? split(upstreams);
      const preferred = draw() < ratio ? canaries : others;
      const list = preferred.length > 0 ? preferred : upstreams;
      return list[Math.floor(draw() * list.length)];
    },
    // A column of `mesh.explain(service)`.
    explain: (upstream) => ({ release: releaseOf(upstream) }),
    // Each service gets a picker of its own, with the mesh's random numbers where the options have none.
    forService: (_service, context) => canary({ ratio, random: random ?? context?.random }),
  };
}

function split(upstreams: readonly Upstream[]): Split {
  const canaries = upstreams.filter((upstream) => releaseOf(upstream) === "canary");
  return { canaries, others: upstreams.filter((upstream) => !canaries.includes(upstream)) };
}

function releaseOf({ endpoint }: Upstream): string {
  return endpoint.metadata?.["release"] ?? "stable";
}

// The rest of this file tries it. First the suite that every picker passes:
const contract = pickerContract(({ random } = {}) => canary({ ratio: 0.1, random }));
for (const { run } of contract) await run();
console.log("the contract holds");

// Then in a mesh, with two instances of the stable release and one of the new one.
const servers = [await listen("stable"), await listen("stable"), await listen("canary")];
const mesh = createMesh({
  discovery: staticDiscovery({
    orders: servers.map((server, index) => ({
      host: "127.0.0.1",
      port: (server.address() as AddressInfo).port,
      metadata: { release: index === 2 ? "canary" : "stable" },
    })),
  }),
  random: seededRandom(7),
  services: { orders: { picker: canary({ ratio: 0.2 }) } },
});

const answers = { stable: 0, canary: 0 };
for (let call = 0; call < 500; call++) answers[(await (await mesh.fetch("orders/")).text()) as keyof typeof answers]++;
console.log(`about ${Math.round(answers.canary / 50) * 10} % of the requests went to the new release`);
console.log(
  mesh
    .explain("orders")
    ?.endpoints.map(({ picker }) => picker?.["release"])
    .join(", "),
);

await mesh.close();
for (const server of servers) server.close();

async function listen(release: string): Promise<Server> {
  const server = createServer((_request, response) => response.end(release)).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}
