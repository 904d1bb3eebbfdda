// Cedar decides: on the requests that a server gets, in place of rules, and on the calls of a mesh before anything is sent.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { preparsePolicySet, statefulIsAuthorized } from "@cedar-policy/cedar-wasm/nodejs";
import { createMesh, staticDiscovery } from "inmesh";
import { inbound, type PolicySource } from "inmesh/server";

const policies = {
  "shop-reads-orders": `permit (principal == Workload::"spiffe://example.org/shop/web", action == Action::"GET", resource is Path)
    when { resource.path like "/orders/*" };`,
  "no-drafts": `forbid (principal, action, resource is Path) when { resource.path like "*/draft" };`,
};
const parsed = preparsePolicySet("orders", { staticPolicies: policies });
if (parsed.type === "failure") throw new Error(parsed.errors.map(({ message }) => message).join("; "));

interface Question {
  readonly caller: string;
  readonly method: string;
  readonly path: string;
}

/** Whether Cedar permits a request, and the id of the policy that says so. An error of Cedar's permits nothing. */
function decide({ caller, method, path }: Question): { readonly isPermitted: boolean; readonly by: string | undefined } {
  const resource = { type: "Path", id: path };
  const answer = statefulIsAuthorized({
    principal: { type: "Workload", id: caller },
    action: { type: "Action", id: method },
    resource,
    context: {},
    entities: [{ uid: resource, attrs: { path }, parents: [] }],
    preparsedPolicySetId: "orders",
    validateRequest: false,
  });
  if (answer.type === "failure" || answer.response.diagnostics.errors.length > 0) return { isPermitted: false, by: undefined };
  return { isPermitted: answer.response.decision === "allow", by: answer.response.diagnostics.reason[0] };
}

/** Cedar in place of the rules of a server. Another source would tell of a new policy whenever it has one. */
const cedar: PolicySource = {
  name: "cedar",
  watch(listener) {
    queueMicrotask(() =>
      listener.update({
        dryRun: false,
        decide({ method, path }, { identity }) {
          const { isPermitted, by } = decide({ caller: identity ?? "", method, path });
          const denial = by === undefined ? "no rule allows it" : "a rule denies it";
          return { allowed: isPermitted, ruleId: by, reason: isPermitted ? "a rule allows it" : denial, audits: [] };
        },
      }),
    );
    return { close: () => {} };
  },
};

// The rest of this file tries it. A sidecar in front of the server has verified the caller, and says so in a header.
const guard = inbound({
  trust: { identity: "x-forwarded-client-cert" },
  authorization: {
    source: cedar,
    audit: ({ decision, ruleId, path }) => console.log(`server: ${path} ${decision} by ${ruleId ?? "no policy"}`),
  },
});
const server = createServer((request, response) => guard(request, response, () => response.end("tea"))).listen(0, "127.0.0.1");
await once(server, "listening");
const me = "spiffe://example.org/shop/web";
const mesh = createMesh({
  discovery: staticDiscovery({ orders: [{ host: "127.0.0.1", port: (server.address() as AddressInfo).port }] }),
  authorize: ({ method, path }) => decide({ caller: me, method, path: path.split("?", 1)[0] ?? "" }).isPermitted,
});
const headers = (caller: string) => ({ "x-forwarded-client-cert": `URI=${caller}` });

const allowed = await mesh.fetch("orders/orders/42", { headers: headers(me) });
console.log(allowed.status, await allowed.text());
for (const path of ["orders/orders/42/draft", "orders/stock"])
  await mesh.fetch(path, { headers: headers(me) }).catch(({ code }) => console.log(`client: ${path} ${code}`));
const other = await mesh.fetch("orders/orders/42", { headers: headers("spiffe://example.org/other") });
console.log(other.status, await other.text());

await mesh.close();
await guard.close();
server.close();
