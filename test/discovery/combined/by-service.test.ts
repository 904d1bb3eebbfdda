import { describe, expect, it, vi } from "vitest";
import { byService } from "../../../src/discovery/combined/by-service.ts";
import type { Discovery, DiscoveryAnswer } from "../../../src/discovery/discovery.ts";
import { staticDiscovery } from "../../../src/discovery/file/static.ts";

const legacy = staticDiscovery({ legacy: [{ host: "10.0.0.1", port: 80 }] });
const registry: Discovery = {
  name: "registry",
  refresh: vi.fn(),
  services: async () => ["orders"],
  async *watch(service) {
    yield [{ id: service, host: "10.0.0.2", port: 80 }];
  },
  close: vi.fn(),
};

async function answerOf(discovery: Discovery, service: string): Promise<DiscoveryAnswer> {
  for await (const answer of discovery.watch(service, new AbortController().signal)) return answer as DiscoveryAnswer;
  throw new Error("no answer");
}

describe("byService", () => {
  it("asks the source of each service, and one for all others", async () => {
    const discovery = byService({ services: { legacy }, otherwise: registry });
    expect(await answerOf(discovery, "legacy")).toMatchObject({ endpoints: [{ host: "10.0.0.1" }], certain: true });
    expect(await answerOf(discovery, "orders")).toMatchObject({ endpoints: [{ id: "orders" }], certain: false });
    expect(await discovery.services?.(new AbortController().signal)).toEqual(["legacy", "orders"]);
    expect(discovery).toMatchObject({ name: "static list and registry", allowSocketPaths: true });
  });

  it("hands hints to the source of the service, and closes each source once", async () => {
    const discovery = byService({ services: { legacy, a: registry, b: registry } });
    discovery.refresh?.("a");
    discovery.refresh?.("unknown");
    await discovery.close?.();
    expect([vi.mocked(registry.refresh)?.mock.calls, vi.mocked(registry.close)?.mock.calls]).toEqual([[["a"]], [[]]]);
  });

  it("has no endpoints for a service without a source", async () => {
    expect(await answerOf(byService({ services: { legacy } }), "orders")).toEqual({ endpoints: [], certain: true });
  });

  it.each<[options: unknown, problem: RegExp]>([
    [undefined, /byService: options/],
    [{ services: { a: 1 } }, /byService: services\.a must be a discovery/],
    [{ services: {}, otherwise: {} }, /byService: otherwise must be a discovery/],
    [{ services: {} }, /byService needs the source of a service/],
    [{ services: {}, other: registry }, /byService has no option "other"/],
  ])("refuses %o", (options, problem) => {
    expect(() => byService(options as never)).toThrow(problem);
  });
});
