import type { SidecarRule } from "../test/servers/envoy-sidecars.ts";

export const clientIdentity = "spiffe://bench.example/ns/shop/svc/web";
export const serverIdentity = "spiffe://bench.example/ns/shop/svc/users";

/** Twenty rules as a service has them: for each of its callers a method and a part of its paths. The last one lets the requests of the bench pass. */
export const rules: readonly SidecarRule[] = [
  ...Array.from({ length: 19 }, (_, index) => ({
    id: `caller-${index}`,
    identity: `spiffe://bench.example/ns/shop/svc/caller-${index}`,
    method: index % 2 === 0 ? "GET" : "POST",
    pathPrefix: `/part-${index}/`,
  })),
  { id: "web", identity: clientIdentity, method: "GET", pathPrefix: "/users/" },
];
