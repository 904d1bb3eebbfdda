import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CheckReport } from "../../src/cli/commands/check.ts";
import { runCli, startCli } from "../cli/run-cli.ts";
import { type ToyInstance, toyInstance } from "../cli/toy-instance.ts";
import { available } from "../servers/available.ts";
import { type BindServer, startBind } from "../servers/bind.ts";
import { type ConsulServer, startConsul } from "../servers/consul.ts";
import { type EurekaServer, startEureka } from "../servers/eureka.ts";
import { until } from "../support/until.ts";

const timeout = 60_000;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "inmesh-cli-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function tokenFile(name: string, token: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, `${token}\n`, { mode: 0o600 });
  return path;
}

describe.skipIf(!available("consul"))("the commands on a real Consul with access control", { timeout }, () => {
  let server: ConsulServer;
  let management: string;
  let orders: ToyInstance;
  let all: { env: Record<string, string> };
  beforeAll(async () => {
    server = await startConsul({ acl: true, tls: true });
    management = server.token ?? "";
    orders = await toyInstance((_request, response) => response.end());
    all = { env: { CONSUL_HTTP_ADDR: `127.0.0.1:${server.port}`, CONSUL_HTTP_TOKEN: management } };
    await server.registerService({
      Name: "orders",
      ID: "orders-1",
      Address: "127.0.0.1",
      Port: orders.port,
      Meta: { version: "7" },
      Tags: ["blue"],
    });
    // What one tenant writes, all others' terminals show.
    await server.registerService({ Name: "evil", ID: "evil-1", Address: "127.0.0.1", Port: 4002, Meta: { note: "\u001b[2J\u202e" } });
  }, timeout);
  afterAll(async () => {
    await server?.stop();
    await orders?.[Symbol.asyncDispose]();
  });

  const makeToken = async (rules: string): Promise<string> => {
    const name = `p${Math.random().toString(36).slice(2)}`;
    await server.put("/v1/acl/policy", { Name: name, Rules: rules });
    const { SecretID } = (await server.put("/v1/acl/token", { Description: name, Policies: [{ Name: name }] })) as { SecretID: string };
    return SecretID;
  };

  it("take address and token from the variables of Consul's own tools", async () => {
    expect((await runCli(["services"], all)).stdout).toBe("SERVICE\nconsul\nevil\norders\n");
    const { stdout } = await runCli(["endpoints", "orders", "-o", "json"], all);
    expect(JSON.parse(stdout)).toMatchObject({
      discovery: `consul at ${server.url}`,
      endpoints: [{ id: "test-node/orders-1", address: `127.0.0.1:${orders.port}`, metadata: { version: "7" } }],
    });
    const byFile = { env: { CONSUL_HTTP_ADDR: server.url, CONSUL_HTTP_TOKEN_FILE: await tokenFile("management", management) } };
    expect((await runCli(["endpoints", "orders", "--tag", "blue"], byFile)).code).toBe(0);
    expect((await runCli(["endpoints", "orders", "--tag", "green"], byFile)).code).toBe(3);
  });

  it("escape what is registered", async () => {
    for (const format of ["wide", "json"]) {
      const { stdout } = await runCli(["endpoints", "evil", "-o", format], all);
      expect(stdout).toContain("evil-1");
      expect(stdout).not.toMatch(/[^\P{Cc}\n]|\p{Cf}/u);
    }
  });

  it("speak HTTPS with the authority that they are given", async () => {
    const ca = join(directory, "ca.pem");
    await writeFile(ca, server.ca ?? "");
    const args = ["endpoints", "orders", "--consul", server.httpsUrl ?? "", "--token-file", await tokenFile("management", management)];
    expect(await runCli(args)).toMatchObject({ code: 1, stderr: expect.stringContaining("certificate") });
    expect((await runCli([...args, "--registry-ca", ca])).code).toBe(0);
  });

  it("follow what changes", async () => {
    const ending = new AbortController();
    const watch = startCli(["watch", "orders", "-o", "json"], { ...all, signal: ending.signal });
    await until("the first is there", () => watch.stdout().includes('"added"'), 10_000);
    await server.registerService({ Name: "orders", ID: "orders-2", Address: "127.0.0.1", Port: 4003 });
    await until("the second is there", () => watch.stdout().includes("orders-2"), 10_000);
    await server.deregisterService("orders-2");
    await until("it has gone", () => watch.stdout().includes('"removed"'), 10_000);
    ending.abort("SIGINT");
    expect((await watch.ended).code).toBe(130);
  });

  it("check what a token may read, and say what to add to its policy", async () => {
    const check = async (token: string | undefined) => {
      const env = { CONSUL_HTTP_ADDR: server.url, ...(token === undefined ? {} : { CONSUL_HTTP_TOKEN: token }) };
      const { code, stdout, stderr } = await runCli(["check", "orders", "-o", "json"], { env });
      for (const secret of [token, management]) if (secret !== undefined) expect(stdout + stderr).not.toContain(secret);
      const { findings } = JSON.parse(stdout) as CheckReport;
      return {
        code,
        findings,
        states: findings
          .filter(({ check }) => ["token", "rights", "discovery"].includes(check))
          .map(({ check, state }) => `${check} ${state}`),
      };
    };
    const good = await check(management);
    expect(good).toMatchObject({ code: 0, states: ["token ok", "rights ok", "rights ok", "rights ok", "discovery ok"] });
    expect(good.findings).toContainEqual(expect.objectContaining({ check: "clock", state: "ok" }));
    const withoutNodes = await check(await makeToken('service "orders" { policy = "read" }'));
    expect(withoutNodes).toMatchObject({ code: 1, states: ["token ok", "rights ok", "rights fail", "rights ok", "discovery fail"] });
    expect(withoutNodes.findings).toContainEqual(expect.objectContaining({ fix: 'add to the policy: node_prefix "" { policy = "read" }' }));
    const enough = await check(await makeToken('service "orders" { policy = "read" } node_prefix "" { policy = "read" }'));
    expect(enough).toMatchObject({ code: 0, states: ["token ok", "rights ok", "rights ok", "rights ok", "discovery ok"] });
    expect(await check(undefined)).toMatchObject({
      code: 1,
      states: ["token warn", "rights fail", "rights fail", "rights ok", "discovery fail"],
    });
    expect(await check("11111111-2222-3333-4444-555555555555")).toMatchObject({ code: 1, states: ["token fail", "discovery fail"] });
  });

  it("never show a token, whatever goes wrong", async () => {
    const canary = "canary-0a1b2c3d-token";
    const file = await tokenFile("canary", canary);
    const addresses = [server.url, "http://127.0.0.1:1", "http://nobody.invalid:8500", "ftp://x"];
    const commands = [
      ["services"],
      ["endpoints", "orders"],
      ["explain", "orders"],
      ["fetch", "orders/", "-v"],
      ["check"],
      ["watch", "orders", "--for", "100ms"],
    ];
    for (const command of commands) {
      for (const address of addresses) {
        for (const format of ["table", "json"]) {
          const { stdout, stderr } = await runCli([...command, "--consul", address, "--token-file", file, "-o", format]);
          expect(stdout + stderr, `${command} ${address}`).not.toContain(canary);
        }
      }
    }
  });
});

describe.skipIf(!available("consul"))("the check of a real Consul without access control", { timeout }, () => {
  it("says that everybody may read everything", async () => {
    const server = await startConsul();
    try {
      const { code, stdout } = await runCli(["check", "--consul", server.url]);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^ok {4}token +access control is off/m);
      expect(stdout).toMatch(/^ok {4}discovery +consul at .* lists 1 services/m);
    } finally {
      await server.stop();
    }
  });
});

describe.skipIf(!available("eureka"))("the commands on a real Eureka", { timeout: 120_000 }, () => {
  let server: EurekaServer;
  let url: string;
  let orders: ToyInstance;
  beforeAll(async () => {
    server = await startEureka({ user: "me", password: "canary-pw" });
    url = server.url.replace("//", "//me:canary-pw@");
    orders = await toyInstance((_request, response) => response.end());
    await server.register({ app: "orders", instanceId: "orders-1", port: orders.port, metadata: { zone: "north" } });
  }, 120_000);
  afterAll(async () => {
    await server?.stop();
    await orders?.[Symbol.asyncDispose]();
  });

  it("list, look up and check, and never show the password", async () => {
    const services = await runCli(["services", "--eureka", url, "-o", "wide"]);
    expect(services).toMatchObject({ code: 0, stdout: "SERVICE  ENDPOINTS\norders           1\n" });
    const endpoints = await runCli(["endpoints", "orders", "--eureka", url]);
    expect(endpoints.stdout).toMatch(new RegExp(`orders-1 +127\\.0\\.0\\.1:${orders.port} +no +north +1`));
    const check = await runCli(["check", "orders", "--eureka", url]);
    expect(check.code).toBe(0);
    const wrong = await runCli(["check", "orders", "--eureka", url.replace("canary-pw", "canary-no")]);
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).toContain("it wants a user and a password");
    for (const { stdout, stderr } of [services, endpoints, check, wrong]) expect(stdout + stderr).not.toContain("canary");
  });
});

describe.skipIf(!available("bind"))("the commands on a real BIND", { timeout }, () => {
  let server: BindServer;
  beforeAll(async () => {
    server = await startBind();
    await server.set("host", "A", ["127.0.0.1"], 1);
    await server.set("_orders._tcp", "SRV", ["0 10 4001 host.test."], 1);
  }, timeout);
  afterAll(() => server?.stop());

  it("look up, explain and check", async () => {
    const dns = ["--dns", "_{service}._tcp.test", "--dns-server", server.address];
    const { stdout } = await runCli(["endpoints", "orders", ...dns]);
    expect(stdout).toContain("127.0.0.1:4001");
    expect((await runCli(["explain", "orders", ...dns])).stdout).toContain("1 of 1 endpoints are candidates");
    expect((await runCli(["check", "orders", ...dns])).stdout).toMatch(/^ok {4}dns +the server .* answers\nok {4}discovery/m);
    expect((await runCli(["endpoints", "nothing", ...dns])).code).toBe(3);
    const addresses = await runCli(["endpoints", "host", "--dns", "{service}.test", "--dns-port", "80", "--dns-server", server.address]);
    expect(addresses.stdout).toContain("127.0.0.1:80");
  });
});
