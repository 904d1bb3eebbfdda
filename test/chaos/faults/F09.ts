import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { atLeast, noneFailed, within } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { knownExactly, leastKnown } from "../rig/known.ts";
import { scriptedConsulShop } from "../rig/registry/scripted-consul.ts";

/** The token expires in the middle of the run; later the file holds a new one. */
export const F09 = fault({
  id: "F09",
  name: "consul-token-expires",
  minSeconds: 12,
  from: 0.15,
  to: 0.5,
  async setup(world) {
    const shop = await scriptedConsulShop(world);
    const file = join(world.directory, "token");
    writeFileSync(file, "first");
    world.load = { discovery: { kind: "consul", options: { url: shop.url, token: { file } } } };
    return { shop, file };
  },
  inject({ shop }) {
    shop.script = ({ token }) => (token === "second" ? {} : { status: 403, body: "ACL not found" });
    shop.wake();
  },
  heal({ shop, file }) {
    shop.list([...shop.instances, shop.extra]);
    const right = shop.index;
    shop.script = ({ token }) =>
      token === "second" ? { headers: { "x-consul-index": String(right) } } : { status: 403, body: "ACL not found" };
    writeFileSync(file, "second");
  },
  expect: (outcome, { shop: { instances, extra } }) => [
    noneFailed(outcome),
    atLeast("fewest endpoints known", leastKnown(outcome), 5),
    within(
      "in sync after the file had changed",
      knownExactly(
        outcome,
        [...instances, extra].map(({ endpoint }) => endpoint.id),
      ),
      5_000,
    ),
  ],
});
