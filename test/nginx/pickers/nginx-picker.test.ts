import { describe, expect, it } from "vitest";
import { MeshError } from "../../../src/core/errors.ts";
import { Upstream } from "../../../src/core/upstream.ts";
import type { NginxOptions } from "../../../src/nginx/pickers/nginx-options.ts";
import { nginx } from "../../../src/nginx/pickers/nginx-picker.ts";
import { testRequest } from "../../../src/testing/request.ts";
import { virtualClock } from "../../../src/testing/virtual-clock.ts";
import { openResponse } from "../../support/open-response.ts";

type Facts = Readonly<Record<string, string>> & { readonly weight?: never };

function upstreamsOf(...servers: readonly { readonly weight?: number; readonly facts?: Facts }[]): readonly Upstream[] {
  return servers.map(
    ({ weight = 1, facts = {} }, index) =>
      new Upstream("app", {
        id: String.fromCharCode(97 + index),
        host: "10.0.0.1",
        port: 8_000 + index,
        weight,
        metadata: Object.fromEntries(Object.entries(facts).map(([name, value]) => [`nginx.${name}`, value])),
      }),
  );
}

function started(upstreams: readonly Upstream[], options: NginxOptions = {}) {
  const clock = virtualClock();
  const picker = nginx({ ...options, clock, random: () => 0.5 });
  picker.update?.(upstreams);
  const pick = (tried: readonly Upstream[] = [], request = testRequest({ tried: [...tried] })) => picker.pick(upstreams, request)?.id;
  const fails = (index: number, error: unknown = new MeshError("ERR_MESH_CONNECT", "refused")) =>
    picker.onAttempt?.(upstreams[index] as Upstream, testRequest())?.onEnd(error === "none" ? undefined : error);
  return { clock, picker, pick, fails };
}

describe("the picker nginx", () => {
  it("takes turns in nginx's smooth order", () => {
    const { pick } = started(upstreamsOf({ weight: 5 }, {}, {}));
    expect(Array.from({ length: 14 }, () => pick()).join("")).toBe("aabacaaaabacaa");
  });

  it("leaves a server out after max_fails failures, for fail_timeout and one try then", async () => {
    const { pick, fails, clock } = started(upstreamsOf({ facts: { maxFails: "2", failTimeoutMs: "5000" } }, {}));
    fails(0);
    expect([pick(), pick(), pick(), pick()]).toContain("a");
    fails(0);
    expect([pick(), pick(), pick()]).toEqual(["b", "b", "b"]);
    await clock.advance(6_000);
    expect([pick(), pick(), pick()].filter((each) => each === "a")).toHaveLength(1);
    expect([pick(), pick(), pick()]).toEqual(["b", "b", "b"]);
  });

  it("takes a server for well again once the try after its time out has succeeded", async () => {
    const { pick, fails, clock } = started(upstreamsOf({ facts: { failTimeoutMs: "1000" } }, {}));
    fails(0);
    await clock.advance(3_000);
    expect([pick(), pick()]).toContain("a");
    fails(0, "none");
    expect([pick(), pick(), pick(), pick()].filter((each) => each === "a").length).toBeGreaterThan(0);
  });

  it("counts no failure of a server that is the only one", () => {
    const { pick, fails } = started(upstreamsOf({}));
    for (let count = 0; count < 5; count++) fails(0);
    expect(pick()).toBe("a");
  });

  it("counts a call that its caller gives up, and a body that breaks, for no failure", () => {
    const { pick, fails, picker } = started(upstreamsOf({}, {}));
    fails(0, new Error("given up"));
    const attempts = [{ endpoint: "a", address: "a:1", phase: "body", ms: 1, maybeExecuted: true }] as const;
    picker
      .onAttempt?.(upstreamsOf({})[0] as Upstream, testRequest({ attempts: [...attempts] }))
      ?.onEnd(new MeshError("ERR_MESH_PROTOCOL", "cut off"));
    expect([pick(), pick()].sort()).toEqual(["a", "b"]);
  });

  it("has backups for the time when no other server is left, down ones never, and full ones not now", () => {
    const upstreams = upstreamsOf({ facts: { backup: "true" } }, { facts: { down: "true" } }, { facts: { maxConnections: "1" } });
    const { pick } = started(upstreams);
    expect(pick()).toBe("c");
    (upstreams[2] as { inFlight: number }).inFlight = 1;
    expect(pick()).toBe("a");
    expect(pick([upstreams[0] as Upstream])).toBeUndefined();
  });

  it("never gives a call a server twice, and none where it has tried all", () => {
    const upstreams = upstreamsOf({}, {});
    const { pick } = started(upstreams);
    expect(pick([upstreams[0] as Upstream])).toBe("b");
    expect(pick(upstreams)).toBeUndefined();
  });

  it("counts listed statuses for failures, but for the last attempt, and for POST only where that is said", () => {
    const options = { failedStatuses: [503], maxAttempts: 2 };
    const outAfter = (more: NginxOptions, request: Parameters<typeof testRequest>[0]) => {
      const upstreams = upstreamsOf({}, {});
      const { picker, pick } = started(upstreams, { ...options, ...more });
      picker.onAttempt?.(upstreams[0] as Upstream, testRequest(request))?.onHead(openResponse(503));
      return !Array.from({ length: 4 }, () => pick()).includes("a");
    };
    expect(outAfter({}, {})).toBe(true);
    expect(outAfter({}, { attempt: 2 })).toBe(false);
    expect(outAfter({}, { method: "POST" })).toBe(false);
    expect(outAfter({ anyMethod: true }, { method: "POST" })).toBe(true);
  });

  it("puts calls with one key to one server, by mesh.hashKey before the key of the file", () => {
    for (const method of ["hash", "consistentHash"] as const) {
      const { pick } = started(upstreamsOf({}, {}, {}), { method, key: "$arg_user" });
      const of = (path: string, hashKey?: string) => pick([], testRequest({ path, options: hashKey === undefined ? {} : { hashKey } }));
      expect(new Set(Array.from({ length: 5 }, () => of("/?user=ann"))).size).toBe(1);
      expect(of("/?user=bob", "ann")).toBe(of("/?user=ann"));
      expect(new Set(Array.from({ length: 40 }, (_, index) => of(`/?user=${index}`))).size).toBe(3);
    }
  });

  it.each([
    [{ method: "hash" }, 'nginx: hash needs a key, such as "$request_uri"'],
    [{ method: "hash", key: "$upstream_addr" }, "nginx: key has the variable $upstream_addr"],
    [{ method: "weighted" }, /method must be one of/],
    [{ methdo: "hash" }, /nginx has no option "methdo"/],
  ])("refuses %j", (options, message) => expect(() => nginx(options as NginxOptions)).toThrow(message));
});
