import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CheckReport } from "../../src/cli/commands/check.ts";
import { runCli } from "../cli/run-cli.ts";
import { available } from "../servers/available.ts";
import { type ConsulServer, startConsul } from "../servers/consul.ts";
import { startConsulSidecar } from "../servers/consul-sidecar.ts";
import { until } from "../support/until.ts";

describe.skipIf(!available("consul") || !available("envoy"))("inmesh check of a Connect mesh", () => {
  let server: ConsulServer;
  beforeAll(async () => {
    server = await startConsul({ acl: true, grpc: true, config: { connect: { enabled: true } } });
    await server.put("/v1/config", {
      Kind: "jwt-provider",
      Name: "idp",
      Issuer: "https://issuer.test",
      JSONWebKeySet: { Local: { JWKS: jwks } },
    });
    await server.put("/v1/config", { Kind: "service-defaults", Name: "web", Protocol: "http" });
    const Permissions = [{ Action: "allow", HTTP: { PathPrefix: "/" }, JWT: { Providers: [{ Name: "idp" }] } }];
    await server.put("/v1/config", { Kind: "service-intentions", Name: "web", Sources: [{ Name: "batch", Permissions }] });
  });
  afterAll(() => server.stop());
  const jwks = Buffer.from(JSON.stringify({ keys: [] })).toString("base64");

  let count = 0;
  const tokenWith = async (rules: string): Promise<string> => {
    const name = `policy-${++count}`;
    await server.put("/v1/acl/policy", { Name: name, Rules: rules });
    const made = (await server.put("/v1/acl/token", { Policies: [{ Name: name }] })) as { SecretID: string };
    return made.SecretID;
  };
  const check = async (token: string, ...args: string[]) => {
    const { code, stdout } = await runCli(["check", ...args, "--connect-as", "web", "--consul", server.url, "-o", "json"], {
      env: { CONSUL_HTTP_TOKEN: token },
    });
    const { findings } = JSON.parse(stdout) as CheckReport;
    expect(stdout).not.toMatch(/PRIVATE KEY|BEGIN CERTIFICATE/);
    return { code, found: findings.filter((each) => each.check === "connect"), findings };
  };

  it("says which right of the token is missing", async () => {
    const reader = await check(await tokenWith('service_prefix "" { policy = "read" }\nnode_prefix "" { policy = "read" }'));
    expect(reader.code).toBe(1);
    const states = reader.found.map(({ state, message }) => `${state}: ${message}`);
    expect(states[0]).toMatch(/^ok: the trust domain is .+\.consul, with one authority$/);
    expect(states[1]).toBe("fail: the token gets no certificate of web");
    expect(reader.found[1]?.fix).toBe('add to the policy: service "web" { policy = "write" }');
    expect(reader.found.at(-1)).toMatchObject({ state: "fail", fix: 'add to the policy: mesh = "read"' });
  });

  it("finds all well with the rights of the guide, and connects to the sidecar of a service, which must be its own", async () => {
    const rights =
      'service "web" { policy = "write" }\nservice_prefix "" { policy = "read" }\nnode_prefix "" { policy = "read" }\nmesh = "read"';
    const token = await tokenWith(rights);
    const app = createServer((_request, response) => response.end()).listen(0, "127.0.0.1");
    await once(app, "listening");
    try {
      await using sidecar = await startConsulSidecar(server, { service: "orders", servicePort: (app.address() as AddressInfo).port });
      const listed = async () => ((await server.get("/v1/health/connect/orders?passing")) as unknown[]).length > 0;
      await until("the sidecar passes its checks", listed, 20_000);
      const good = await check(token, "orders");
      expect(good.findings.filter(({ state }) => state === "fail")).toEqual([]);
      expect(good.found.map(({ message }) => message)).toEqual([
        expect.stringContaining("the trust domain is"),
        expect.stringMatching(/^the certificate of web is spiffe:.+\/svc\/web, until /),
        "one intention is about callers of web",
        "web is of the protocol http",
        "the jwt-provider idp of an intention can be read",
      ]);
      const destination = { DestinationServiceName: "payments", LocalServicePort: 9 };
      const Connection = { Kind: "connect-proxy", Name: "payments-proxy", Address: "127.0.0.1", Port: sidecar.port, Proxy: destination };
      await server.registerService(Connection);
      const bad = await check(token, "payments");
      expect(bad.code).toBe(1);
      expect(bad.findings.find(({ check: subject }) => subject === "instances")?.message).toContain("/svc/orders, and discovery lists");
    } finally {
      app.close();
    }
  }, 60_000);
});
