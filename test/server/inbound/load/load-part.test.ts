import { create, createFileRegistry, type DescMessage, fromBinary, toJson } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FieldDescriptorProto_Label as Label, FieldDescriptorProto_Type as Type } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { loadReportOf } from "../../../../src/balancer/load-reports/load-report.ts";
import { prequal } from "../../../../src/balancer/pickers/prequal.ts";
import { weighted } from "../../../../src/balancer/pickers/weighted.ts";
import { reportBytes } from "../../../../src/server/inbound/load/report-bytes.ts";
import { meshOf } from "../../../support/mesh.ts";
import { type Answer, ask, guarded, Held } from "../served.ts";

/** The definition of a report, as far as it is written: `xds/data/orca/v3/orca_load_report.proto`. */
const orca = (() => {
  const double = (name: string, number: number) => ({ name, number, type: Type.DOUBLE, label: Label.OPTIONAL });
  const field = [double("cpu_utilization", 1), double("rps_fractional", 6), double("eps", 7), double("application_utilization", 9)];
  const typeName = ".xds.data.orca.v3.OrcaLoadReport.NamedMetricsEntry";
  const named = { name: "named_metrics", number: 8, type: Type.MESSAGE, typeName, label: Label.REPEATED };
  const key = { name: "key", number: 1, type: Type.STRING, label: Label.OPTIONAL };
  const entry = { name: "NamedMetricsEntry", field: [key, double("value", 2)], options: { mapEntry: true } };
  const messageType = [{ name: "OrcaLoadReport", field: [...field, named], nestedType: [entry] }];
  const file = create(FileDescriptorProtoSchema, { name: "orca.proto", package: "xds.data.orca.v3", syntax: "proto3", messageType });
  return createFileRegistry(file, () => undefined).getMessage("xds.data.orca.v3.OrcaLoadReport") as DescMessage;
})();

/** The report of an answer, as a mesh reads it. */
function reportIn({ headers }: Answer) {
  const report = loadReportOf({ headers: Object.entries(headers).flat() as string[], header: undefined } as never);
  if (report === undefined || report === "malformed") throw new Error(`no report: ${report}`);
  return report;
}

describe("the load report", () => {
  test("is at its path, with what a mesh asks for, in the header and as JSON", async () => {
    const held = new Held();
    const { port } = await guarded({ load: { metrics: () => ({ queue: 3.5 }) } }, held.listener);
    const busy = [ask(port), ask(port)];
    await expect.poll(() => held.requests.length).toBe(2);
    const answer = await ask(port, { path: "/.inmesh/load" });
    expect(answer.headers["cache-control"]).toBe("no-store");
    const { named } = reportIn(answer);
    expect([named.get("rif"), named.get("queue")]).toEqual([2, 3.5]);
    expect(JSON.parse(answer.text)).toMatchObject({
      cpu_utilization: expect.any(Number),
      application_utilization: expect.any(Number),
      named_metrics: { rif: 2, queue: 3.5, latency_ms: 0 },
    });
    for (const { answer: end } of held.requests) end();
    await Promise.all(busy);
    const after = reportIn(await ask(port, { path: "/.inmesh/load" }));
    expect(after.named.get("rif")).toBe(0);
    expect(after.named.get("latency_ms")).toBeGreaterThan(0);
  });

  test("is in responses that ask for it, in all of them, or in none", async () => {
    const asked = await guarded({});
    expect((await ask(asked.port)).headers["endpoint-load-metrics"]).toBeUndefined();
    const text = await ask(asked.port, { headers: { "endpoint-load-metrics-format": "TEXT" } });
    expect(text.headers["endpoint-load-metrics"]).toMatch(/^TEXT cpu_utilization=/);
    expect(reportIn(text).named.get("rif")).toBe(1);
    const json = await ask(asked.port, { headers: { "endpoint-load-metrics-format": "json" } });
    expect(json.headers["endpoint-load-metrics"]).toMatch(/^JSON \{/);
    expect(reportIn(json).named.get("rif")).toBe(1);
    const always = await guarded({ load: { header: "always" } }, (_request, response) => void response.writeHead(200, { a: "b" }).end());
    expect((await ask(always.port)).headers).toMatchObject({ a: "b", "endpoint-load-metrics": expect.stringContaining("TEXT ") });
    const never = await guarded({ load: { header: "never" } });
    expect(
      (await ask(never.port, { headers: { "endpoint-load-metrics-format": "TEXT" } })).headers["endpoint-load-metrics"],
    ).toBeUndefined();
    const off = await guarded({ load: false });
    expect((await ask(off.port, { path: "/.inmesh/load" })).text).toBe("ok");
  });

  test("is protobuf where it is asked for or set, as the definition of ORCA and a mesh read it", async () => {
    const metrics = () => ({ queue: 3.5, below: -2, ["n".repeat(64)]: 1 });
    const asked = await guarded({ load: { metrics } });
    const set = await guarded({ load: { metrics, header: "always", format: "bin" } });
    for (const answer of [await ask(asked.port, { headers: { "endpoint-load-metrics-format": " BIN" } }), await ask(set.port)]) {
      expect(answer.headers["endpoint-load-metrics"]).toBeUndefined();
      const bytes = Buffer.from(String(answer.headers["endpoint-load-metrics-bin"]), "base64");
      expect(toJson(orca, fromBinary(orca, bytes), { useProtoFieldName: true })).toMatchObject({
        named_metrics: { queue: 3.5, below: -2, ["n".repeat(64)]: 1, rif: 1 },
      });
      const { named } = reportIn(answer);
      expect([named.get("queue"), named.get("rif"), named.get("n".repeat(64))]).toEqual([3.5, 1, 1]);
    }
    const scalars = { cpu_utilization: 0.25, application_utilization: 0.5, rps_fractional: 120.5, eps: 0.125 };
    const encoded = reportBytes({ ...scalars, named_metrics: {} });
    expect(toJson(orca, fromBinary(orca, Buffer.from(encoded, "base64")), { useProtoFieldName: true })).toEqual(scalars);
    const text = await ask(set.port, { headers: { "endpoint-load-metrics-format": "text" } });
    expect(text.headers["endpoint-load-metrics"]).toMatch(/^TEXT /);
    expect(text.headers["endpoint-load-metrics-bin"]).toBeUndefined();
  });

  test.each<[kind: string, metrics: () => Record<string, number>]>([
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
    ["returns nonsense", () => 5 as never],
    ["is async", (async () => ({ a: 1 })) as never],
    [
      "names metrics that no header can carry",
      () => ({ "a, b=1": 1, "x\r\ny": 2, "": 3, nan: Number.NaN, huge: 1e300, text: "1" as never }),
    ],
    ["returns thousands", () => Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`m${index}`, index]))],
  ])("can be read where the program's function %s", async (_kind, metrics) => {
    const { port } = await guarded({ load: { metrics, header: "always" } });
    for (const path of ["/", "/.inmesh/load"]) {
      const { named } = reportIn(await ask(port, { path }));
      expect(named.has("rif")).toBe(true);
      expect(named.size).toBeLessThanOrEqual(40);
    }
  });
});

/** Keeps the CPU busy for some milliseconds, as a handler does. */
function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe("a mesh that goes by the reports", () => {
  test('weights instances by what they report, with weighted({ by: "reported" })', async () => {
    const load = { header: "always" } as const;
    const [one, other] = [
      await guarded({ load }),
      await guarded({ load }, (_request, response) => {
        work(1);
        response.end("ok");
      }),
    ];
    const mesh = meshOf({ orders: [one.port, other.port] }, { picker: weighted({ by: "reported", blackoutMs: 100 }) });
    const endAt = performance.now() + 1_500;
    while (performance.now() < endAt) await (await mesh.fetch("orders/x")).text();
    const views = mesh.explain("orders")?.endpoints.map((endpoint) => JSON.stringify(endpoint));
    for (const view of views ?? []) expect(view).toContain('"report":"reported"');
    expect(views).toHaveLength(2);
  });

  test("prefers the instance with fewer requests in flight, with prequal()", async () => {
    const held = new Held();
    const full = await guarded({}, held.listener);
    const idle = await guarded({});
    const busy = Array.from({ length: 20 }, () => ask(full.port));
    await expect.poll(() => held.requests.length).toBe(20);
    const mesh = meshOf({ orders: [full.port, idle.port] }, { picker: prequal({ probeTimeoutMs: 5_000 }), timeoutMs: 20_000 });
    // Until the answers of the first probes are there, requests go anywhere.
    const first = Array.from({ length: 4 }, () => mesh.fetch("orders/x"));
    await new Promise((resolve) => setTimeout(resolve, 200));
    const before = held.requests.length;
    for (let count = 0; count < 20; count++) await (await mesh.fetch("orders/x")).text();
    expect(held.requests.length).toBe(before);
    for (const { answer } of held.requests) answer();
    for (const answer of first) await (await answer).text();
    await Promise.all(busy);
  });
});
