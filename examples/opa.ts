// OPA decides on the requests that a server gets: a policy in Rego, compiled to WebAssembly by `opa build` (examples/opa/policy.rego has the command).
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { loadPolicy } from "@open-policy-agent/opa-wasm";
import { createMesh, staticDiscovery } from "inmesh";
import { inbound, type PolicySource } from "inmesh/server";

const file = new URL("opa/policy.wasm", import.meta.url);

/** The policy in a file, in place of the rules of a server. A source may tell of another one whenever the file has changed. */
const rego: PolicySource = {
  name: "opa",
  watch(listener) {
    let isClosed = false;
    const load = async (): Promise<void> => {
      const policy = await loadPolicy(await readFile(file));
      if (isClosed) return;
      listener.update({
        dryRun: false,
        // What it throws denies the request.
        decide({ method, path }, { identity = "" }) {
          // A headless policy: one result for the entry point.
          const rule: unknown = policy.evaluate({ caller: identity, method, path })[0]?.result;
          const isAllowed = typeof rule === "string" && rule !== "";
          return {
            allowed: isAllowed,
            ruleId: isAllowed ? rule : undefined,
            reason: isAllowed ? "a rule allows it" : "no rule allows it",
            audits: [],
          };
        },
      });
    };
    load().catch((error: Error) => listener.fail(error));
    return {
      close() {
        isClosed = true;
      },
    };
  },
};

// The rest of this file tries it. A sidecar in front of the server has verified the caller, and says so in a header.
const guard = inbound({
  trust: { identity: "x-forwarded-client-cert" },
  authorization: { source: rego, audit: ({ decision, method, path }) => console.log(`server: ${method} ${path} ${decision}`) },
});
const server = createServer((request, response) => guard(request, response, () => response.end("tea"))).listen(0, "127.0.0.1");
await once(server, "listening");
const mesh = createMesh({
  discovery: staticDiscovery({ orders: [{ host: "127.0.0.1", port: (server.address() as AddressInfo).port }] }),
});
const ask = async (path: string, caller: string, method = "GET"): Promise<void> => {
  const response = await mesh.fetch(`orders${path}`, { method, headers: { "x-forwarded-client-cert": `URI=${caller}` } });
  console.log(response.status, (await response.text()).trim());
};
const web = "spiffe://example.org/shop/web";
// Until the policy is loaded, the server answers 503, which a mesh repeats where it may.
await ask("/orders/42", web);
await ask("/orders/42/draft", web);
await ask("/orders/42", web, "DELETE");
await ask("/orders/42", "spiffe://example.org/other");

await mesh.close();
await guard.close();
server.close();
