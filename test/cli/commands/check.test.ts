import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addressFinding } from "../../../src/cli/check/address-check.ts";
import { expiryFinding } from "../../../src/cli/check/certificate-checks.ts";
import { clockFinding } from "../../../src/cli/check/clock-check.ts";
import type { Finding } from "../../../src/cli/check/finding.ts";
import { zoneOf } from "../../../src/cli/check/registry-checks.ts";
import { type CheckReport, nodeFinding } from "../../../src/cli/commands/check.ts";
import { Authority, type Issued } from "../../support/authority.ts";
import { certificate } from "../../support/certificate.ts";
import { runCli } from "../run-cli.ts";
import { toyInstance } from "../toy-instance.ts";

let directory: string;
const path = (name: string): string => join(directory, name);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "inmesh-cli-"));
  await writeFile(path("cert.pem"), certificate.cert);
  await writeFile(path("key.pem"), certificate.key, { mode: 0o600 });
  await writeFile(path("nonsense.pem"), "canary-content");
  await promisify(execFile)("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path("other-key.pem")]);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const anything = ["--static", "a=127.0.0.1:1"];

async function findings(...args: readonly string[]): Promise<{ code: number; found: readonly Finding[]; text: string }> {
  const { code, stdout, stderr } = await runCli(["check", ...args, "-o", "json"]);
  const report = JSON.parse(stdout) as CheckReport;
  expect(report.ok).toBe(code === 0);
  return { code, found: report.findings, text: stdout + stderr };
}

/** `token fail` of each finding about one of these. */
function about(found: readonly Finding[], ...checks: readonly string[]): readonly string[] {
  return found.filter(({ check }) => checks.includes(check)).map(({ check, state }) => `${check} ${state}`);
}

describe("inmesh check", () => {
  it("shows the address that a server would advertise, and the others", async () => {
    expect(about((await findings(...anything)).found, "address")).toHaveLength(1);
    const address = (name: string, address: string) => {
      const rest = { address, netmask: "", mac: "", cidr: null, internal: name === "lo" };
      return address.includes(":") ? { ...rest, family: "IPv6" as const, scopeid: 0 } : { ...rest, family: "IPv4" as const };
    };
    const lo = [address("lo", "127.0.0.1")];
    expect(
      addressFinding({ lo, eth0: [address("eth0", "10.0.0.5"), address("eth0", "fe80::1")], docker0: [address("docker0", "172.17.0.1")] }),
    ).toEqual({
      check: "address",
      state: "ok",
      message: 'a server that registers with host: "auto" advertises 10.0.0.5 (eth0); it also has 172.17.0.1 (docker0)',
      fix: null,
    });
    expect(addressFinding({ lo })).toMatchObject({ check: "address", state: "warn" });
  });

  it("writes a line for each check, and what to do about those that do not pass", async () => {
    const { code, stdout } = await runCli(["check", "b", ...anything]);
    expect(code).toBe(1);
    const lines = stdout.split("\n").filter((line) => !/^(ok|warn) {2,}address| {19}/.test(line) || line.includes("check the spelling"));
    expect(lines.slice(0, 3)).toEqual([
      `ok    node         Node ${process.versions.node}`,
      "fail  discovery    static list lists no endpoint of b",
      expect.stringMatching(/^ {19}→ check the spelling \(inmesh services\)/),
    ]);
  });

  it("names the service that was probably meant", async () => {
    const { stdout } = await runCli(["check", "ordes", "--static", "orders=127.0.0.1:1"]);
    expect(stdout).toContain("may read; did you mean orders?");
  });

  it("fails when the registry is not there, and says where it has looked", async () => {
    const { code, found } = await findings("--consul", "http://127.0.0.1:1");
    expect(code).toBe(1);
    expect(about(found, "registry", "discovery")).toEqual(["registry fail", "discovery fail"]);
    expect(found.every(({ state, fix }) => (state === "ok") === (fix === null))).toBe(true);
  });

  it("notices a name that does not exist", async () => {
    const { found } = await findings("--consul", "http://nobody.invalid:8500");
    expect(about(found, "dns")).toEqual(["dns fail"]);
  });

  it("notices a Consul without a leader, and something else that answers", async () => {
    await using leaderless = await toyInstance((_, response) => response.end('""'));
    expect(about((await findings("--consul", leaderless.url)).found, "registry")).toEqual(["registry fail"]);
    await using other = await toyInstance((_, response) => response.writeHead(404).end("no"));
    expect(about((await findings("--consul", other.url)).found, "registry")).toEqual(["registry fail"]);
  });

  it.each(["--consul", "--eureka"])("takes a web server that answers everything with a page for no registry: %s", async (option) => {
    await using web = await toyInstance((_, response) => {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end("<!doctype html><title>Welcome</title>");
    });
    const { code, found } = await findings(option, web.url);
    expect(code).toBe(1);
    const registry = found.filter(({ check }) => check === "registry");
    expect(registry).toMatchObject([
      { state: "fail", message: expect.stringMatching(/answered 200, but not as a .* does \(text\/html\)$/) },
    ]);
    expect(about(found, "token", "rights")).toEqual([]);
  });

  it("connects to the instances of the service, sends nothing to them, and says which cannot be reached", async () => {
    const seen: Buffer[] = [];
    const open = createTcpServer((socket) => socket.on("data", (chunk) => seen.push(chunk)));
    await new Promise<void>((resolve) => open.listen(0, "127.0.0.1", resolve));
    const { port } = open.address() as AddressInfo;
    try {
      const one = await findings("shop", "--static", `shop=127.0.0.1:${port}`);
      expect(one).toMatchObject({ code: 0 });
      expect(one.found).toContainEqual({ check: "instances", state: "ok", message: "it accepts connections", fix: null });
      const some = await findings("shop", "--static", `shop=127.0.0.1:${port},127.0.0.1:1`);
      expect(some.code).toBe(0);
      expect(some.found.at(-1)).toMatchObject({
        check: "instances",
        state: "warn",
        message: expect.stringMatching(/^1 of 2 cannot be connected to: 127\.0\.0\.1:1 \(.*ECONNREFUSED/),
      });
      const none = await findings("shop", "--static", "shop=127.0.0.1:1");
      expect(none.code).toBe(1);
      expect(about(none.found, "discovery", "instances")).toEqual(["discovery ok", "instances fail"]);
      expect(seen).toEqual([]);
    } finally {
      open.close();
    }
  });

  it("checks the certificates of instances that have TLS as a mesh would, and that they speak it", async () => {
    const server = createServer({ cert: certificate.cert, key: certificate.key });
    await using plain = await toyInstance((_, response) => response.end());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const secure = async (port: number, ...args: readonly string[]) => {
      await writeFile(path("secure.json"), JSON.stringify({ shop: [{ id: "a", host: "127.0.0.1", port, secure: true }] }));
      const { code, found } = await findings("shop", "--file", path("secure.json"), "--timeout", "5s", ...args);
      return { code, instances: found.filter(({ check }) => check === "instances") };
    };
    const { port } = server.address() as AddressInfo;
    try {
      expect(await secure(port)).toMatchObject({ code: 1, instances: [{ state: "fail", message: expect.stringMatching(/self.signed/i) }] });
      expect(await secure(port, "--tls-ca", path("cert.pem"))).toMatchObject({
        code: 0,
        instances: [{ state: "ok", message: "it accepts connections, with TLS where they are secure" }],
      });
      expect(await secure(port, "--tls-ca", path("cert.pem"), "--tls-server-name", "other.test")).toMatchObject({
        code: 1,
        instances: [{ message: expect.stringContaining("ERR_TLS_CERT_ALTNAME_INVALID") }],
      });
      expect(await secure(plain.port)).toMatchObject({ code: 1, instances: [{ state: "fail" }] });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it("notices a Eureka that wants a password, and never shows the one that it was given", async () => {
    await using eureka = await toyInstance((request, response) => {
      const isKnown = request.headers.authorization === `Basic ${Buffer.from("me:canary-pass").toString("base64")}`;
      response.writeHead(isKnown ? 200 : 401, { "content-type": "application/json" }).end('{"applications":{"application":[]}}');
    });
    const denied = await findings("--eureka", `${eureka.url}/eureka`);
    expect(about(denied.found, "registry", "clock")).toEqual(["registry fail", "clock ok"]);
    const url = eureka.url.replace("//", "//me:canary-pass@");
    const allowed = await findings("--eureka", `${url}/eureka`);
    expect(about(allowed.found, "registry", "discovery")).toEqual(["registry ok", "discovery warn"]);
    const wrong = await findings("--eureka", `${url.replace("canary-pass", "canary-wrong")}/eureka`);
    expect(allowed.text + wrong.text).not.toContain("canary");
  });

  it("compares clocks as exactly as whole seconds allow", () => {
    const date = "Sun, 22 Nov 2026 12:00:00 GMT";
    const at = (offsetMs: number) => clockFinding({ headers: { date }, atMs: Date.parse(date) + offsetMs, ms: 20 });
    expect([-4_900, 0, 999, 6_000].map((offset) => at(offset).state)).toEqual(["ok", "ok", "ok", "ok"]);
    expect(at(20_000)).toMatchObject({ state: "warn", message: expect.stringContaining("19.5 s ahead of") });
    expect(at(-120_000)).toMatchObject({ state: "fail", message: expect.stringContaining("behind") });
    expect(clockFinding({ headers: {}, atMs: 0, ms: 1 }).state).toBe("warn");
  });

  it("knows how long a certificate is good", () => {
    const days = (count: number) => new Date(Date.UTC(2026, 0, 1) + count * 86_400_000).toUTCString();
    const at = (from: number, to: number) => expiryFinding("c", { validFrom: days(from), validTo: days(to) }, Date.UTC(2026, 0, 1)).state;
    expect([at(-10, 100), at(-10, 13), at(-10, 0), at(-10, -1), at(1, 100)]).toEqual(["ok", "warn", "fail", "fail", "fail"]);
  });

  it.each([
    [
      ["--tls-cert", "cert.pem", "--tls-key", "key.pem", "--tls-ca", "cert.pem"],
      ["tls-ca ok", "tls-cert ok", "tls-cert ok", "tls-key ok"],
    ],
    [
      ["--tls-cert", "cert.pem", "--tls-key", "other-key.pem"],
      ["tls-cert ok", "tls-key fail"],
    ],
    [
      ["--tls-cert", "cert.pem"],
      ["tls-cert ok", "tls-key warn"],
    ],
    [["--tls-key", "nonsense.pem"], ["tls-key fail"]],
    [["--tls-cert", "nonsense.pem"], ["tls-cert fail"]],
    [["--tls-ca", "missing.pem"], ["tls-ca fail"]],
    [["--tls-key", "missing.pem"], ["tls-key fail"]],
  ])("looks into files: %j", async (args, expected) => {
    await chmod(path("other-key.pem"), 0o600);
    const { found, text } = await findings(...anything, ...args.map((each) => (each.endsWith(".pem") ? path(each) : each)));
    expect(about(found, "tls-ca", "tls-cert", "tls-key")).toEqual(expected);
    expect(text).not.toContain("canary");
  });

  it("warns of a key that others may read", async () => {
    await chmod(path("other-key.pem"), 0o644);
    const { found } = await findings(...anything, "--tls-key", path("other-key.pem"));
    expect(found).toContainEqual(expect.objectContaining({ check: "tls-key", state: "warn", fix: expect.stringContaining("chmod 600") }));
  });

  it("looks at the certificate of a registry, and sends nothing to one that it does not trust", async () => {
    const paths: (string | undefined)[] = [];
    const server = createServer({ cert: certificate.cert, key: certificate.key }, (request, response) => {
      paths.push(request.url);
      response.end('"127.0.0.1:8300"');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const unknown = await findings("--consul", url);
      expect(about(unknown.found, "certificate", "registry")).toEqual(["certificate fail", "certificate ok", "registry fail"]);
      expect(unknown.found).toContainEqual(expect.objectContaining({ fix: "give its authority with --registry-ca" }));
      expect(paths).toEqual([]);
      const known = await findings("--consul", url, "--registry-ca", path("cert.pem"));
      expect(about(known.found, "certificate", "registry")).toEqual(["certificate ok", "certificate ok", "registry ok"]);
      const misnamed = await findings("--consul", url, "--registry-ca", path("cert.pem"), "--registry-server-name", "consul.test");
      expect(about(misnamed.found, "certificate")).toEqual(["certificate fail", "certificate ok"]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it("asks DNS servers whether they are there", async () => {
    const { found } = await findings("--dns", "{service}.test", "--dns-server", "127.0.0.1:1", "--timeout", "200ms");
    expect(about(found, "dns")).toEqual(["dns fail"]);
  });

  it.each([
    ["{service}.service.consul", "service.consul"],
    ["_{service}._tcp.test.", "_tcp.test"],
    ["{service}.{service}.test", "test"],
    ["{service}", "127.in-addr.arpa"],
  ])("asks them for what they are there for: of %s for %s", (template, zone) => {
    expect(zoneOf(template)).toBe(zone);
  });

  it("knows which Node is old enough to fail", () => {
    expect(["22.23.0", "22.22.9", "20.20.2", "24.0.0", "26.1.0"].map((version) => nodeFinding(version).state)).toEqual([
      "ok",
      "fail",
      "fail",
      "ok",
      "ok",
    ]);
  });
});

describe("inmesh check, of an identity in files", () => {
  const authority = Authority.create("td");
  const web = "spiffe://td/web";

  /** Writes the files of a certificate, and names them as options. */
  async function files(issued: Issued, ca: string, mode = 0o600): Promise<readonly string[]> {
    await writeFile(path("id.pem"), issued.chain);
    await rm(path("id-key.pem"), { force: true });
    await writeFile(path("id-key.pem"), issued.key, { mode });
    await writeFile(path("id-ca.pem"), ca);
    return ["--tls-cert", path("id.pem"), "--tls-key", path("id-key.pem"), "--tls-ca", path("id-ca.pem")];
  }

  async function identity(...args: Parameters<typeof files>): Promise<string> {
    const { found, text } = await findings(...anything, ...(await files(...args)));
    expect(text).not.toMatch(/BEGIN|PRIVATE/);
    const [finding] = found.filter(({ check }) => check === "identity");
    return `${finding?.state}: ${finding?.message}`;
  }

  it("names it where peers would take it, below intermediate authorities too", async () => {
    const root = await authority;
    expect(await identity(await root.issue({ uris: [web] }), root.certificate)).toBe(
      `ok: it is ${web}, and peers with the authorities of --tls-ca take it`,
    );
    const between = await Authority.create("between", root);
    expect(await identity(await between.issue({ uris: [web] }), root.certificate)).toMatch(/^ok: it is spiffe/);
    expect(await identity(await root.issue({ dnsNames: ["web.test"] }), root.certificate)).toMatch(/^ok: it is DNS:web.test/);
  });

  it("refuses what a mesh would refuse, with the reason", async () => {
    const root = await authority;
    const [one, other] = [await root.issue({ uris: [web] }), await root.issue({ uris: [web] })];
    const hour = 3_600_000;
    const past = { notBefore: new Date(Date.now() - 2 * hour), notAfter: new Date(Date.now() - hour) };
    expect(await identity({ ...one, key: other.key }, root.certificate)).toMatch(/^fail: .*does not belong/);
    expect(await identity(await root.issue({ uris: [web], ...past }), root.certificate)).toMatch(/^fail: .*which is not now/);
    expect(await identity(await root.issue({ uris: [web, "spiffe://td/admin"] }), root.certificate)).toMatch(/^fail: .*2 URIs/);
    expect(await identity(one, (await Authority.create("td")).certificate)).toMatch(/^fail: .*authority/);
    expect(await identity(one, root.certificate, 0o644)).toMatch(/^fail: .*may read|readable/);
  });
});

describe("inmesh check, of rules", () => {
  const policy = async (text: string): Promise<readonly string[]> => {
    await writeFile(path("policy.yaml"), text);
    const { found } = await findings(...anything, "--policy", path("policy.yaml"));
    return found.filter(({ check }) => check === "policy").map(({ state, message }) => `${state}: ${message}`);
  };

  it("counts those that load, and says where one is wrong", async () => {
    expect(await policy("rules:\n  - id: all\n    action: allow\n")).toEqual([`ok: 1 rule in ${path("policy.yaml")}`]);
    expect(await policy("dryRun: true\nrules:\n  - id: all\n    action: allow\n")).toEqual([
      "warn: 1 rule, and a dry run: every request is let pass",
    ]);
    expect((await policy("rules:\n  - id: all\n    effect: allow\n"))[0]).toMatch(/^fail: .*policy\.yaml:3.*effect/);
    expect((await findings(...anything, "--policy", path("none.yaml"))).code).toBe(1);
  });
});
