import type { SceneService } from "./scene.ts";

const zones = ["a", "b", "c"];
const in3Zones = (count: number, ms: number) => Array.from({ length: count }, (_, index) => ({ ms, zone: zones[index % 3] as string }));

/** A shop in which not all is well: what the screenshots show. */
export const shop: Readonly<Record<string, SceneService>> = {
  users: { parts: in3Zones(3, 4), rps: 40, paths: ["/users/42", "/users/7"] },
  orders: {
    parts: [
      { ms: 9, zone: "a" },
      { ms: 9, zone: "b", isDown: true },
      { ms: 12, zone: "c", failing: 0.06 },
    ],
    rps: 25,
    paths: ["/orders/1001?customer=42", "/orders/1002", "/orders"],
    methods: ["GET", "GET", "POST"],
    options: { breaker: { breakMs: 20_000 } },
  },
  payments: {
    parts: [
      { ms: 22, secure: true, zone: "a" },
      { ms: 24, secure: true, zone: "b" },
    ],
    rps: 12,
    paths: ["/charge"],
  },
  inventory: {
    parts: [
      { ms: 6, failing: 0.04, status: 500 },
      { ms: 7, failing: 0.02, status: 500 },
    ],
    rps: 18,
    paths: ["/items/tea", "/items/milk"],
  },
  recommendations: {
    parts: [{ isDown: true }, { isDown: true }],
    rps: 4,
    paths: ["/for/42"],
    options: { breaker: { breakMs: 60_000, minCalls: 10 } },
  },
  search: {
    parts: [...in3Zones(11, 8), { ms: 70, zone: "c" }],
    rps: 30,
    paths: ["/search?q=tea"],
    options: { hedge: {} },
  },
};
