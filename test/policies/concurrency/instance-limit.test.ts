import { expect, it } from "vitest";
import { AttemptLedger } from "../../../src/attempts/attempt-ledger.ts";
import { balance } from "../../../src/attempts/balance.ts";
import { Balancer } from "../../../src/balancer/balancer.ts";
import type { Picker } from "../../../src/balancer/picker.ts";
import type { CallPriority, MeshRequest, MeshResponse } from "../../../src/core/dispatch.ts";
import { MeshError } from "../../../src/core/errors.ts";
import { interceptorOf } from "../../../src/core/stages/stage.ts";
import type { ConcurrencyOptions } from "../../../src/policies/concurrency/concurrency-options.ts";
import { InstanceLimit } from "../../../src/policies/concurrency/instance-limit.ts";
import { testRequest, virtualClock } from "../../../src/testing/index.ts";
import { type OpenResponse, openResponse } from "../../support/open-response.ts";
import { rejectionOf } from "../../support/rejection.ts";

function rig(instances: number, options: ConcurrencyOptions = {}) {
  const clock = virtualClock();
  const picker: Picker = { pick: (upstreams) => upstreams[0] };
  const balancer = new Balancer({ service: "orders", picker });
  const list = (count: number) =>
    balancer.update(Array.from({ length: count }, (_, at) => ({ id: `i${at}`, host: "127.0.0.1", port: at + 1 })));
  list(instances);
  const limit = new InstanceLimit(1, options, { service: "orders", candidates: (route) => balancer.candidatesOf(route), clock });
  const sent: { readonly to: string; readonly path: string; readonly response: OpenResponse }[] = [];
  const stage = balance({
    balancer,
    ledger: new AttemptLedger({ picker, passiveHealth: undefined, clock, onEnd: limit.fill }),
    instanceLimit: limit,
    wait: {
      isOver: true,
      join: async () => {},
      joinForSubset: async () => false,
      noEndpoints: async () => new MeshError("ERR_MESH_NO_ENDPOINTS", "nobody"),
    },
  });
  const dispatch = interceptorOf(stage)(async (request) => {
    const response = openResponse();
    sent.push({ to: request.upstream?.id ?? "", path: request.path, response });
    return response;
  });
  const call = (path: string, more: Partial<MeshRequest> = {}): Promise<MeshResponse> => dispatch(testRequest({ path, ...more }));
  const end = (path: string) => sent.find((each) => each.path === path)?.response.body.close();
  return { clock, balancer, limit, list, call, end, dispatch, paths: () => sent.map(({ to, path }) => `${path} to ${to}`) };
}

it("passes over full instances, and lets attempts wait while all are full", async () => {
  const { clock, call, end, paths, limit } = rig(2);
  const calls = ["/a", "/b", "/c", "/d"].map((path) => call(path));
  await clock.advance(0);
  expect([paths(), limit.queued]).toEqual([["/a to i0", "/b to i1"], 2]);
  end("/b");
  await clock.advance(0);
  expect([paths().slice(2), limit.queued]).toEqual([["/c to i1"], 1]);
  end("/a");
  await Promise.all(calls);
  expect([paths().slice(3), limit.queued, clock.pending]).toEqual([["/d to i0"], 0, []]);
});

it("lets no attempt in before those that wait, even in the turn in which room is made", async () => {
  const { clock, call, end, paths } = rig(1);
  void call("/a");
  void call("/b");
  await clock.advance(0);
  end("/a");
  void call("/late");
  await clock.advance(0);
  expect(paths()).toEqual(["/a to i0", "/b to i0"]);
  end("/b");
  await clock.advance(0);
  expect(paths()[2]).toBe("/late to i0");
});

it("takes them by priority, and refuses one that finds no place or waits too long", async () => {
  const { clock, call, end, paths } = rig(1, { maxQueued: 2, queueTimeoutMs: 100 });
  const at = (priority: CallPriority) => ({ options: { priority } });
  void call("/a");
  const normal = rejectionOf(call("/normal"));
  const shed = rejectionOf(call("/shed"));
  const full = await rejectionOf(call("/low", at("low")));
  expect(full).toMatchObject({ code: "ERR_MESH_OVERLOADED", maybeExecuted: false });
  expect(String(full)).toContain(
    'every instance of "orders" has 1 attempts in flight (concurrency.maxInFlightPerInstance): 2 wait already',
  );
  void call("/high", at("high"));
  expect(String(await shed)).toContain("given to a call of a higher priority");
  end("/a");
  await clock.advance(99);
  expect(paths()).toEqual(["/a to i0", "/high to i0"]);
  await clock.advance(1);
  expect(String(await normal)).toContain("it has waited for 100 ms");
  expect(clock.pending).toEqual([]);
});

it("forgets whose call has ended", async () => {
  const { clock, call, end, limit, paths } = rig(1);
  void call("/a");
  const request = testRequest({ path: "/b" });
  const given = rejectionOf(call("/b", request));
  request.cancellation.cancel("given up");
  expect([await given, limit.queued, clock.pending]).toEqual(["given up", 0, []]);
  end("/a");
  await clock.advance(0);
  expect([paths(), limit.isTaken(testRequest())]).toEqual([["/a to i0"], false]);
});

it("gives attempts that wait to new instances, and fails them when there are none any more", async () => {
  const { clock, call, list, limit, paths } = rig(1);
  void call("/a");
  void call("/b");
  await clock.advance(0);
  list(2);
  limit.fill();
  await clock.advance(0);
  expect(paths()).toEqual(["/a to i0", "/b to i1"]);
  const left = rejectionOf(call("/c"));
  await clock.advance(0);
  list(0);
  limit.fill();
  expect(await left).toMatchObject({ code: "ERR_MESH_NO_ENDPOINTS" });
});

it("sends a retry to an instance that was tried when no other has room", async () => {
  const { clock, call, balancer, paths, end } = rig(2);
  void call("/a");
  void call("/b");
  await clock.advance(0);
  end("/a");
  await call("/again", { tried: balancer.upstreams.slice(0, 1) });
  expect(paths()[2]).toBe("/again to i0");
});

it("lets calls of one subset wait for its own instances, and holds up no call to another", async () => {
  const { clock, call, end, paths, limit } = rig(3);
  const ofIds = (...ids: readonly string[]) => ({
    routed: {
      rule: "canary",
      target: undefined,
      subset: { name: ids.join("+"), whenEmpty: "fail" as const, has: ({ id }: { readonly id: string }) => ids.includes(id) },
      options: undefined,
    },
  });
  const [one, others] = [ofIds("i0"), ofIds("i1", "i2")];
  const calls = [call("/a", one), call("/b", one), call("/c", one)];
  await clock.advance(0);
  expect([paths(), limit.queued]).toEqual([["/a to i0"], 2]);
  calls.push(call("/d", others), call("/e"));
  await clock.advance(0);
  expect(paths().slice(1)).toEqual(["/d to i1", "/e to i2"]);
  end("/d");
  await clock.advance(0);
  expect(limit.queued).toBe(2);
  end("/a");
  await clock.advance(0);
  end("/b");
  await Promise.all(calls);
  expect([paths().slice(3), limit.queued, limit.isTaken(testRequest(one)), clock.pending]).toEqual([
    ["/b to i0", "/c to i0"],
    0,
    false,
    [],
  ]);
});
