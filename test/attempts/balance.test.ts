import { describe, expect, it } from "vitest";
import { AttemptLedger } from "../../src/attempts/attempt-ledger.ts";
import { balance } from "../../src/attempts/balance.ts";
import { Balancer } from "../../src/balancer/balancer.ts";
import { systemClock } from "../../src/core/clock.ts";
import { interceptorOf } from "../../src/core/stages/stage.ts";
import { type Dispatch, localResponse, type Picker } from "../../src/extend.ts";
import { adaptive, createMesh, MeshError, staticDiscovery } from "../../src/index.ts";
import { testRequest, virtualClock } from "../../src/testing/index.ts";
import { openResponse } from "../support/open-response.ts";
import { closedPort, serve } from "../support/servers.ts";

/** A picker that takes the first and writes down what it is told. */
function journallingPicker() {
  const journal: string[] = [];
  const picker: Picker = {
    pick: (upstreams) => upstreams[0],
    onAttempt(upstream, { path }) {
      journal.push(`${path} to ${upstream.id}, ${upstream.inFlight} in flight`);
      return {
        onHead: ({ status }) => journal.push(`head ${status}`),
        onEnd: (error) => journal.push(`end ${error}, ${upstream.inFlight} in flight`),
      };
    },
  };
  return { journal, picker };
}

function dispatchWith(picker: Picker, next: Dispatch): Dispatch {
  const balancer = new Balancer({ service: "test", picker });
  balancer.update([{ id: "one", host: "127.0.0.1", port: 1 }]);
  const layer = balance({
    balancer,
    ledger: new AttemptLedger({ picker, passiveHealth: undefined, clock: systemClock }),
    wait: {
      isOver: true,
      join: () => Promise.resolve(),
      joinForSubset: () => Promise.resolve(false),
      noEndpoints: async () => new MeshError("ERR_MESH_NO_ENDPOINTS", "nobody"),
    },
  });
  return interceptorOf(layer)(next);
}

describe("the balance layer", () => {
  it.each([undefined, new Error("enough")])("tells the picker of an attempt, its head and the end of its body: %s", async (error) => {
    const { journal, picker } = journallingPicker();
    const response = openResponse();
    await dispatchWith(picker, async () => response)(testRequest({ path: "/a" }));
    expect(journal).toEqual(["/a to one, 1 in flight", "head 200"]);
    response.body.close(error);
    expect(journal.slice(2)).toEqual([`end ${error}, 0 in flight`]);
  });

  it("makes no attempt for a call that was given up before", async () => {
    const { journal, picker } = journallingPicker();
    const request = testRequest();
    const dispatch = dispatchWith(picker, () => Promise.reject(request.cancellation.reason));
    const timeout = new MeshError("ERR_MESH_TIMEOUT", "too late");
    request.cancellation.cancel(timeout);
    await expect(dispatch(request)).rejects.toBe(timeout);
    expect([journal, request.tried]).toEqual([[], []]);
  });

  it("tells it of an attempt that failed before its head", async () => {
    const { journal, picker } = journallingPicker();
    const dispatch = dispatchWith(picker, () => Promise.reject(new Error("reset")));
    await expect(dispatch(testRequest())).rejects.toThrow("reset");
    expect(journal.slice(1)).toEqual(["end Error: reset, 0 in flight"]);
  });

  it("asks nothing of a picker that does not learn", async () => {
    const response = await dispatchWith({ pick: ([first]) => first }, async () => localResponse(204))(testRequest());
    expect(response.status).toBe(204);
  });
});

describe("a mesh with a picker that learns", () => {
  it("gives it its own clock and chance", async () => {
    const clock = virtualClock();
    const random = () => 0.5;
    const seen: unknown[] = [];
    const picker: Picker = {
      pick: () => undefined,
      forService(service, context) {
        seen.push(service, context?.clock === clock, context?.random === random);
        return picker;
      },
    };
    const mesh = createMesh({ discovery: staticDiscovery({ users: [{ host: "127.0.0.1", port: 1 }] }), picker, clock, random });
    await expect(mesh.fetch("users/")).rejects.toThrow("no endpoints");
    expect(seen).toEqual(["users", true, true]);
    await mesh.close();
  });

  it("leaves the instance that refuses connections", async () => {
    const { port: alive } = await serve((_request, response) => response.end("ok"));
    const dead = await closedPort();
    const mesh = createMesh({
      discovery: staticDiscovery({
        users: [
          { host: "127.0.0.1", port: dead },
          { host: "127.0.0.1", port: alive },
        ],
      }),
      picker: adaptive(),
      // Only the picker may find out.
      breaker: false,
    });
    for (let call = 0; call < 50; call++) expect(await (await mesh.fetch("users/")).text()).toBe("ok");
    const failures = mesh
      .explain("users")
      ?.endpoints.map(({ address, attempts: requests }) => ({ isDead: address.endsWith(`:${dead}`), requests }));
    expect(failures?.find(({ isDead }) => isDead)?.requests).toBe(1);
    await mesh.close();
  });
});
