import { exactly, failures, heapGrown, noneFailed } from "../rig/claims.ts";
import { dnsShop } from "../rig/dns.ts";
import { fault } from "../rig/fault.ts";
import type { Instance } from "../rig/world.ts";

const everyMs = 500;

/** The name has other addresses twice a second: some of the instances, and some without a listener, which no answer has named before. */
export const F151 = fault({
  id: "F151",
  name: "addresses-flap",
  minSeconds: 10,
  from: 0.1,
  to: 0.9,
  async setup(world) {
    const shop = await dnsShop(world, 6);
    const state = { shop, timer: undefined as NodeJS.Timeout | undefined };
    world.own({
      async [Symbol.asyncDispose]() {
        clearInterval(state.timer);
      },
    });
    return state;
  },
  inject(state) {
    let count = 0;
    const { instances } = state.shop;
    const port = instances[0]?.endpoint.port ?? 0;
    state.timer = setInterval(() => {
      const there = [0, 1, 2, 3].map((index) => instances[(count + index) % instances.length] as Instance);
      const gone = ["a", "b"].map((id) => {
        count++;
        return { endpoint: { id, host: `127.1.${count >> 8}.${count & 255}`, port } } as Instance;
      });
      state.shop.listed = [...there, ...gone];
    }, everyMs);
  },
  heal({ shop, timer }) {
    clearInterval(timer);
    shop.listed = shop.instances;
  },
  expect: (outcome, _state, world) => [
    noneFailed(outcome),
    exactly("POSTs failed", failures(outcome, "POST").length, 0),
    heapGrown(outcome, world, 20),
  ],
});
