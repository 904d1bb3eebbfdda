import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { requireDist } from "../dist.ts";
import { available } from "../servers/available.ts";
import { startBind } from "../servers/bind.ts";
import { startConsul } from "../servers/consul.ts";
import { startEureka } from "../servers/eureka.ts";
import { directory, run } from "./run-example.ts";

/** The examples that need no server, with what they print among other things. */
const alone: Readonly<Record<string, readonly string[]>> = {
  "admin.ts": ["open http://127.0.0.1:", "greeter: 1 available, breaker closed"],
  "quick-start.ts": ["200 hello"],
  "routes.ts": [
    "7: old, 8: new, 7: old\n",
    "/v2/items/3\n",
    "308 /items\n",
    "404 no such page\n",
    'not old pages, since path is "/v1" or below does not hold\n',
  ],
  "node-service.ts": ["200 hello, Ada\n", "404 no user 43", "200 hello, Ada (one instance is gone)", "503 try again later (both are)"],
  "fastify-service.ts": [
    '200 {"item":"tea","total":998}',
    '503 {"code":"ERR_MESH_RETRY_EXHAUSTED","service":"prices","isSafeToRepeat":true}',
  ],
  "stopping.ts": [
    "replaced, 0 cut off\nreplaced, 0 cut off\n",
    "0 of all calls failed; answers from hello from new one, hello from new two, hello from old one, hello from old two",
  ],
  "canary.ts": ['canary of "orders 2": began\n', 'canary of "orders 2": rolled-back\n', "calls go from 1.4.0\n"],
  "connect.ts": ["499\n499\n499\nnow 499\nnow 525\nnow 475\n[not_found] there is no salt\n", "failing", "fine"],
  "gateway.ts": [
    "401 Unauthorized\n200 v1 /orders/7\n404 Not Found\n200 v2 /orders/7, 200 v2 next /orders/7\nthe next release got about a quarter: true\n",
  ],
  "grpc.ts": ["cart of Ada\ncart of Bob\ncart of Eve\n", "cart of Ada\n"],
  "prometheus.ts": [
    "tea for 499\n",
    "shop_orders_total 3\n",
    'inmesh_client_call_duration_seconds_count{server_service_name="prices",http_request_method="GET",inmesh_outcome="success"} 3\n',
    'inmesh_endpoints{server_service_name="prices",inmesh_endpoint_state="available"} 1\n',
  ],
  "cedar.ts": [
    "200 tea\nclient: orders/orders/42/draft ERR_MESH_FORBIDDEN\nclient: orders/stock ERR_MESH_FORBIDDEN\n",
    "server: /orders/42 denied by no policy\n403 forbidden\n",
  ],
  "opa.ts": [
    "200 tea\nserver: GET /orders/42/draft denied\n403 forbidden\nserver: DELETE /orders/42 denied\n403 forbidden\nserver: GET /orders/42 denied\n403 forbidden\n",
  ],
  "custom-observer.ts": [
    "request r-1\n",
    '{"service":"orders","method":"GET","status":200,"attempts":1,"ms":1',
    '{"service":"gone","method":"GET","code":"ERR_MESH_CONNECT","attempts":1,"ms":',
  ],
  "custom-picker.ts": ["the contract holds\n", "about 20 % of the requests went to the new release\n", "stable, stable, canary\n"],
  "custom-policy.ts": ["200 Bearer token-1\n200 Bearer token-1\n200 Bearer token-1\n200 Bearer token-2\n200 Bearer token-2\n"],
  "custom-registrar.ts": [
    "holds: comes back by itself after the registry has lost its data\n",
    "orders-127.0.0.1-8080 is up, 1 listed\n0 listed\n",
  ],
  "custom-adapter.ts": ["answers: instance one, instance two", "answers: instance two", "closed"],
};
const withServer = ["consul.ts", "dns.ts", "eureka.ts", "move-registry.ts", "workers.ts"];
/** Run by mtls.test.ts. */
const withIdentity = ["mtls-consul.ts", "mtls-files.ts", "mtls-spiffe.ts"];
/** Generated from a definition, for another one. */
const generated = ["connect/prices_pb.ts"];
/** Run by getting-started.test.ts. */
const together = ["getting-started/caller.ts", "getting-started/first-call.ts", "getting-started/greeter.ts"];

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe("the examples", () => {
  beforeAll(requireDist);

  it("are all run here", () => {
    const files = readdirSync(directory, { recursive: true, encoding: "utf8" }).map((name) => name.replaceAll("\\", "/"));
    expect([...Object.keys(alone), ...withServer, ...withIdentity, ...together, ...generated].sort()).toEqual(
      files.filter((name) => name.endsWith(".ts")).sort(),
    );
  });

  it.each(Object.entries(alone))("%s works and ends", { timeout: 70_000 }, async (file, expected) => {
    const { code, output } = await run(file);
    expect(code, output).toBe(0);
    for (const text of expected) expect(output).toContain(text);
  });

  it.skipIf(!available("consul"))("workers.ts replaces workers without a failed call", { timeout: 120_000 }, async () => {
    const server = await startConsul();
    cleanups.push(() => server.stop());
    const { code, output } = await run("workers.ts", { CONSUL_URL: server.url });
    expect(code, output).toBe(0);
    expect(output).toMatch(/^0 calls failed; 1 instance, answers from [2-4] workers\n$/);
    expect(await server.get("/v1/agent/services")).toEqual({});
  });

  it.skipIf(!available("consul"))("consul.ts works with a real Consul and leaves nothing in it", { timeout: 120_000 }, async () => {
    const server = await startConsul();
    cleanups.push(() => server.stop());
    const { code, output } = await run("consul.ts", { CONSUL_URL: server.url });
    expect(code, output).toBe(0);
    expect(output).toContain("200 hello from greeter");
    expect(await server.get("/v1/agent/services")).toEqual({});
  });

  it.skipIf(!available("eureka"))("eureka.ts works with a real Eureka and leaves nothing in it", { timeout: 180_000 }, async () => {
    const server = await startEureka();
    cleanups.push(() => server.stop());
    const { code, output } = await run("eureka.ts", { EUREKA_URL: server.url });
    expect(code, output).toBe(0);
    expect(output).toContain("200 hello from greeter");
    expect(JSON.stringify(await server.get("/apps"))).not.toContain("GREETER");
  });

  it.skipIf(!available("eureka") || !available("consul"))(
    "move-registry.ts moves a service from a real Eureka to a real Consul without a failed call",
    { timeout: 180_000 },
    async () => {
      const [from, to] = await Promise.all([startEureka(), startConsul()]);
      cleanups.push(
        () => from.stop(),
        () => to.stop(),
      );
      const { code, output } = await run("move-registry.ts", { EUREKA_URL: from.url, CONSUL_URL: to.url });
      expect(code, output).toBe(0);
      expect(output).toBe(
        "2 instances by eureka and consul\n2 instances by consul, else eureka\n2 instances by consul\n0 of all calls failed\n",
      );
      expect(JSON.stringify(await from.get("/apps"))).not.toContain("GREETER");
      expect(await to.get("/v1/agent/services")).toEqual({});
    },
  );

  it.skipIf(!available("bind"))("dns.ts works with a real BIND", { timeout: 120_000 }, async () => {
    const server = await startBind();
    cleanups.push(() => server.stop());
    const greeter = createServer((_request, response) => response.end("hello from greeter")).listen(0, "127.0.0.1");
    cleanups.push(() => greeter.close());
    await once(greeter, "listening");
    const { port } = greeter.address() as AddressInfo;
    await server.set("host", "A", ["127.0.0.1"]);
    await server.set("_greeter._tcp", "SRV", [`0 1 ${port} host.test.`]);
    const { code, output } = await run("dns.ts", { DNS_SERVER: server.address, DNS_NAME: "_{service}._tcp.test" });
    expect(code, output).toBe(0);
    expect(output).toContain("200 hello from greeter");
  });
});
