import { exactly, noneFailed } from "../rig/claims.ts";
import { fault } from "../rig/fault.ts";
import { now, pause, until } from "../rig/now.ts";
import { type EurekaShop, eurekaShop } from "../rig/registry/eureka.ts";

/** An instance that says itself that it is down gets an override, which is then removed: Eureka forgets its status and asks for it anew. */
export const F24 = fault({
  id: "F24",
  name: "eureka-override-removed",
  needs: ["eureka"],
  minSeconds: 10,
  from: 0.1,
  to: 0.7,
  setup: async (world) => ({ ...(await eurekaShop(world, 3)), seen: [] as string[], atLast: "" }),
  async inject({ eureka, instances: [first], seen }) {
    await first?.order({ type: "status", status: "down" });
    await until("Eureka knows that it is down", async () => (await statusOf(eureka)) === "DOWN");
    await eureka.setStatus("shop", "i0", "OUT_OF_SERVICE");
    await pause(700);
    await eureka.clearStatus("shop", "i0");
    const endAt = now() + 4_000;
    for (; now() < endAt; await pause(50)) seen.push(await statusOf(eureka));
  },
  async heal(state) {
    await state.instances[0]?.order({ type: "status", status: "up" });
    await until("Eureka knows that it is up", async () => (await statusOf(state.eureka)) === "UP");
    state.atLast = "UP";
  },
  expect: (outcome, { seen, atLast }) => [
    noneFailed(outcome),
    exactly("seen as up while it was down", seen.filter((status) => status === "UP").length, 0),
    exactly("what Eureka says after the removal", seen.at(-1) ?? "", "DOWN"),
    exactly("what it says once it is up", atLast, "UP"),
  ],
});

async function statusOf(eureka: EurekaShop["eureka"]): Promise<string> {
  const answer = (await eureka.get("/apps/shop/i0").catch(() => undefined)) as { instance?: { status?: string } } | undefined;
  return answer?.instance?.status ?? "GONE";
}
