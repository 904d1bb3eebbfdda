import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { runCli } from "../cli/run-cli.ts";
import { certificate } from "../support/certificate.ts";
import { closedPort, serve } from "../support/servers.ts";
import { secrets, secretsIn } from "./secrets.ts";

const { authorization: token, query, userinfo, cookie, consulToken, eurekaPassword } = secrets;

let directory: string;
let closed: number;
const at = (name: string): string => join(directory, name);

/** Configurations with secrets where people put them, right and wrong. Each is read by every command that reads one. */
const configurations: Readonly<Record<string, string>> = {
  "userinfo.yaml": `discovery: { consul: { url: "http://user:${userinfo}@127.0.0.1:1" } }\n`,
  "userinfo-alone.yaml": `discovery: { consul: { url: "http://${userinfo}@127.0.0.1:1" } }\n`,
  "userinfo-reference.yaml": `discovery: { consul: { url: "http://user:${userinfo}@\${env:HOST}:1" } }\n`,
  "query.yaml": `discovery: { consul: { url: "http://127.0.0.1:1/?token=${query}" } }\n`,
  "token.yaml": `discovery: { consul: { token: "${consulToken}" } }\n`,
  "token-reference.yaml": `discovery: { consul: { token: "${consulToken}\${env:MORE}" } }\n`,
  "token-env.yaml": `discovery: { consul: { token: "\${env:TOKEN}" } }\n`,
  "token-number.yaml": `discovery: { consul: { token: ["${consulToken}"] } }\n`,
  "token-object.yaml": `discovery: { consul: { token: { value: "${consulToken}" } } }\n`,
  "token-misplaced.yaml": `discovery: "${consulToken}"\n`,
  "token-mistyped.yaml": `discovery: { consul: { tokn: "${consulToken}" } }\n`,
  "password.yaml": `discovery: { eureka: { servers: ["http://user:${eurekaPassword}@127.0.0.1:1/eureka"] } }\n`,
  "passwords.yaml": `discovery: { eureka: { servers: ["http://127.0.0.1:1/eureka"], password: "${eurekaPassword}", username: 5 } }\n`,
  "key.yaml": `discovery: { static: {} }\ntls: { key: ${JSON.stringify(certificate.key)}, cert: ${JSON.stringify(certificate.cert)} }\n`,
  "key-as-cert.yaml": `discovery: { static: {} }\ntls: { cert: ${JSON.stringify(certificate.key)}, ca: ${JSON.stringify(certificate.key)} }\n`,
  "passphrase.yaml": `discovery: { static: {} }\ntls: { passphrase: "${token}" }\n`,
  "identity.yaml": `discovery: { static: {} }\nidentity: { files: { cert: ${JSON.stringify(certificate.key)}, key: ${JSON.stringify(certificate.key)} } }\n`,
  "headers.yaml": `discovery: { static: {} }\nroutes:\n  - { name: a, to: orders, headers: { set: { authorization: "Bearer ${token}", x-api-key: "${cookie}", x-auth-token: "${query}", cookie: "a=${cookie}" } } }\n`,
  "headers-request.yaml": `discovery: { static: {} }\nroutes:\n  - name: a\n    to: orders\n    request: { set: { authorization: "Bearer ${token}", x-session-secret: "${query}" } }\n`,
  "health.yaml": `discovery: { static: {} }\nhealthCheck: { path: "/health?token=${query}", headers: { authorization: "Bearer ${token}" } }\n`,
  "syntax.yaml": `discovery: { consul: { token: "${consulToken}" }\nfoo: "${token}\n`,
  "syntax-plain.yaml": `discovery:\n  consul:\n    token: ${consulToken}: @${token}\n  ${query} ]\n`,
  "twice.yaml": `discovery: { consul: { token: "${consulToken}", token: "${consulToken}" } }\n`,
  "tag.yaml": `discovery: !${consulToken} { consul: { token: !${token} "a" } }\n`,
  "anchor.yaml": `discovery: { consul: { token: *${consulToken} } }\n`,
  "reference.yaml": `discovery: { consul: { token: "\${file:${"{directory}"}/token}" } }\nfoo: 1\n`,
  "unclosed.yaml": `discovery: { consul: { token: "\${env:TOKEN" } }\n`,
  "absent.yaml": `discovery: { consul: { token: "${consulToken}\${env:ABSENT}" } }\n`,
};

/** Files of nginx and Envoy with secrets. */
const foreign: Readonly<Record<string, string>> = {
  "nginx.conf": `events {}\nhttp { server { listen 8080; location / { proxy_set_header Authorization "Bearer ${token}"; proxy_set_header X-Api-Key ${cookie}; proxy_pass http://127.0.0.1:1; } } }\n`,
  "userinfo.conf": `events {}\nhttp { server { listen 8080; location / { proxy_pass http://user:${userinfo}@127.0.0.1:1; } } }\n`,
  "wrong.conf": `events {}\nhttp { server { listen 8080; location / { auth_basic_secret "${token}"; proxy_pass http://127.0.0.1:1; } } }\n`,
};

const environment = () => ({
  TOKEN: token,
  MORE: query,
  HOST: "127.0.0.1",
  CONSUL_HTTP_TOKEN: consulToken,
  CONSUL_HTTP_ADDR: `http://127.0.0.1:${closed}`,
  EUREKA_USERNAME: "user",
  EUREKA_PASSWORD: eurekaPassword,
});

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "inmesh-canary-"));
  closed = await closedPort();
  for (const [name, text] of [...Object.entries(configurations), ...Object.entries(foreign)])
    await writeFile(at(name), text.replaceAll("{directory}", directory), { mode: 0o600 });
  await writeFile(at("key.pem"), certificate.key, { mode: 0o600 });
  await writeFile(at("cert.pem"), certificate.cert);
  await writeFile(at("token"), `${consulToken}\n`, { mode: 0o600 });
  await writeFile(at("two-tokens"), `${consulToken}\n${token}\n`, { mode: 0o600 });
  await writeFile(at("headers"), `authorization: Bearer ${token}\ncookie: a=${cookie}\n`, { mode: 0o600 });
  await writeFile(at("wrong-header"), `Bearer ${token}\n`, { mode: 0o600 });
  await writeFile(at("services.json"), JSON.stringify({ orders: [{ host: "127.0.0.1", port: closed }] }));
  return () => rm(directory, { recursive: true });
});

async function shownBy(argv: readonly string[], env: Readonly<Record<string, string>> = environment()): Promise<string> {
  const { stdout, stderr } = await runCli(argv, { env, signal: AbortSignal.timeout(20_000) });
  expect(stdout + stderr, `${argv.join(" ")} says nothing`).not.toBe("");
  return stdout + stderr;
}

/** Nothing of a secret; of `given`, the arguments, that is looked for too. */
async function expectNoSecret(argv: readonly string[], env?: Readonly<Record<string, string>>): Promise<void> {
  expect(secretsIn(await shownBy(argv, env))).toEqual([]);
}

describe("no secret comes out of the commands", { timeout: 60_000 }, () => {
  it.each(Object.keys(configurations))("of the configuration %s", async (name) => {
    for (const format of ["table", "json"]) {
      await expectNoSecret(["config", "print", at(name), "-o", format]);
      await expectNoSecret(["config", "diff", at("token-env.yaml"), at(name), "-o", format]);
      await expectNoSecret(["config", "diff", at(name), at("token-env.yaml"), "-o", format]);
    }
    await expectNoSecret(["config", "check", at(name)]);
    await expectNoSecret(["route", "orders/", "-c", at(name), "-H", `authorization: Bearer ${token}`]);
    await expectNoSecret(["gateway", at(name), "--listen", "127.0.0.1:99999"]);
    await expectNoSecret(["import", at(name)]);
    await expectNoSecret(["parity", at(name)]);
    await expectNoSecret(["policy", "test", at(name)]);
    await expectNoSecret(["policy", "diff", at(name), at(name)]);
    await expectNoSecret(["policy", "propose", at(name)]);
    await expectNoSecret(["check", "--file", at("services.json"), "--policy", at(name)]);
    await expectNoSecret(["services", "--file", at(name)]);
  });

  it.each([
    ["the environment", []],
    ["a token file", ["--token-file", "token"]],
    ["a token file of two lines", ["--token-file", "two-tokens"]],
    ["a key as token file", ["--token-file", "key.pem"]],
    ["a URL with a password", ["--consul", `http://user:${userinfo}@127.0.0.1:1`]],
    ["a URL with a token", ["--consul", `http://127.0.0.1:1/?token=${query}`]],
    ["a URL that is none", ["--consul", `http//user:${userinfo}@127.0.0.1`]],
    ["a URL of Eureka", ["--eureka", `http://user:${eurekaPassword}@127.0.0.1:1/eureka`]],
    ["Eureka and the environment", ["--eureka", "http://127.0.0.1:1/eureka"]],
    ["a key as authority", ["--registry-ca", "key.pem"]],
    ["a key as certificate", ["--registry-cert", "key.pem", "--registry-key", "key.pem"]],
    ["a certificate as key", ["--registry-cert", "cert.pem", "--registry-key", "cert.pem"]],
    ["an option that is none", [`--tokn=${consulToken}`]],
    ["an option without a name", [`--${consulToken}`]],
    ["a time that is none", ["--timeout", consulToken]],
  ])("with %s", async (_, given) => {
    const options = given.map((each) => (/^(token|two-tokens|key\.pem|cert\.pem)$/.test(each) ? at(each) : each));
    for (const argv of [
      ["check"],
      ["check", "orders"],
      ["services"],
      ["endpoints", "orders"],
      ["explain", "orders"],
      ["fetch", "orders/x", "--trace"],
    ]) {
      const text = await shownBy([...argv, ...options, ...(given.includes("--timeout") ? [] : ["--timeout", "300ms"])]);
      // What was typed as the name of an option, or a time, is quoted: it is on the command line, for all to see.
      const typed = given.some((each) => each.startsWith(`--${consulToken}`) || each === consulToken);
      expect(secretsIn(text).filter(() => !typed)).toEqual([]);
    }
  });

  it.each([
    ["tls", ["check", "--file", "services.json", "--tls-cert", "key.pem", "--tls-key", "cert.pem", "--tls-ca", "key.pem"]],
    ["tls of one pair", ["check", "--file", "services.json", "--tls-cert", "key.pem", "--tls-key", "key.pem"]],
    ["the gateway's", ["gateway", "token-env.yaml", "--tls-cert", "key.pem", "--tls-key", "cert.pem", "--listen", "127.0.0.1:0"]],
    ["a policy", ["check", "--file", "services.json", "--policy", "key.pem"]],
    ["a configuration", ["config", "check", "key.pem"]],
    ["a printed configuration", ["config", "print", "key.pem"]],
    ["an imported file", ["import", "key.pem"]],
    ["a file of nginx", ["import", "key.pem", "--from", "nginx"]],
    ["a file of Envoy", ["import", "key.pem", "--from", "envoy"]],
    ["a list of services", ["services", "--file", "key.pem"]],
    ["a record", ["policy", "propose", "key.pem"]],
    ["headers", ["fetch", "orders/", "--file", "services.json", "-H", "@key.pem"]],
    ["wrong headers", ["fetch", "orders/", "--file", "services.json", "-H", "@wrong-header"]],
  ])("where a key stands in place of %s", async (_, given) => {
    await expectNoSecret(
      given.map((each) => (/^@?[\w-]+(\.(pem|json|yaml))$|^@wrong-header$/.test(each) ? each.replace(/[\w-]+(\.\w+)?$/, at) : each)),
    );
  });

  it("of a call, its answer and its failure, traced", async () => {
    const server = await serve((request, response) => {
      response.writeHead(request.url?.includes("fail") ? 503 : 200, { "set-cookie": `a=${secrets.responseCookie}`, "x-auth-token": token });
      response.end("body");
    });
    await writeFile(at("live.json"), JSON.stringify({ orders: [{ host: "127.0.0.1", port: server.port }] }));
    const headers = ["-H", `@${at("headers")}`, "-H", `x-api-key: ${token}`];
    for (const path of [`ok?token=${query}`, `fail?token=${query}`])
      for (const more of [["-v"], ["--trace"], ["-v", "--trace"]])
        await expectNoSecret(["fetch", `orders/${path}`, "--file", at("live.json"), ...headers, ...more]);
    for (const target of [
      `user:${userinfo}@orders/x`,
      `http://user:${userinfo}@orders/x`,
      `orders/\\?token=${query}`,
      `/orders?token=${query}`,
    ])
      await expectNoSecret(["fetch", target, "--file", at("live.json"), ...headers]);
  });

  it.each(Object.keys(foreign))("of the file %s, where its problems are told", async (name) => {
    const { stderr } = await runCli(["import", at(name)], { env: environment() });
    expect(secretsIn(stderr)).toEqual([]);
  });
});
