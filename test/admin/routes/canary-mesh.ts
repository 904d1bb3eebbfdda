import type { Mesh } from "../../../src/index.ts";
import { meshOf } from "../../support/mesh.ts";
import { serve } from "../../support/servers.ts";
import { until } from "../../support/until.ts";

/** A mesh whose canary `checkout` fails with every call, and has been rolled back for that; another one, `prices`, has not been called. */
export async function meshWithCanaries(): Promise<Mesh> {
  const [stable, next] = [
    await serve((_request, response) => response.end()),
    await serve((_request, response) => response.writeHead(503).end()),
  ];
  const split = (first: string, second: string) => ({
    targets: [
      { name: "v1", service: first },
      { name: "v2", service: second },
    ],
    canary: { steps: [50, 100], minCalls: 20 },
  });
  const mesh = meshOf(
    { stable: stable.port, next: next.port },
    {
      retry: false,
      breaker: false,
      routes: [
        { name: "checkout", match: { service: "shop", path: { exact: "/checkout" } }, split: split("stable", "next") },
        { name: "prices", match: { service: "shop", path: { exact: "/prices" } }, split: split("next", "stable") },
      ],
    },
  );
  await until("the canary is rolled back", async () => {
    await Promise.all(Array.from({ length: 10 }, async () => (await mesh.fetch("shop/checkout")).text()));
    return mesh.canaries()[0]?.state === "rolled-back";
  });
  return mesh;
}
