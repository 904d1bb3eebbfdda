import { atLeast, atMost, noneFailed } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { scriptedConsulShop } from "../rig/registry/scripted-consul.ts";

/** Every second answer of Consul is an error. */
export const F107 = fault({
  id: "F107",
  name: "consul-fails-every-second-time",
  minSeconds: 10,
  from: 0.1,
  setup: (world) => scriptedConsulShop(world),
  inject(shop) {
    let number = 0;
    shop.script = ({ index }) => (index === undefined && number++ % 2 === 0 ? undefined : { status: 500, body: "No cluster leader" });
    shop.wake();
  },
  expect(outcome, { asked }) {
    const during = asked.filter(({ at }) => at > outcome.injectedAt).length;
    const clients = new Set(outcome.attempts.map(({ client }) => client)).size;
    const seconds = outcome.seconds * 0.9;
    return [
      noneFailed(outcome),
      atMost("questions of a client in a second", during / clients / seconds, 5),
      atLeast("questions of a client in a second", during / clients / seconds, 0.3),
    ];
  },
});
