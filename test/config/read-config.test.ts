import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Picker } from "../../src/balancer/picker.ts";
import { ConfigError, type ConfigNames, fromFile, fromText } from "../../src/config/config.ts";
import { createMesh, roundRobin } from "../../src/index.ts";

const least = "discovery: { static: {} }\n";

/** The message of the error for a text. */
async function faultOf(text: string, names?: ConfigNames): Promise<string> {
  const error: unknown = await fromText(text, "mesh.yaml", names).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).message;
}

describe("a configuration", () => {
  test("makes the mesh that its file describes, and calls go by it", async () => {
    const server = createServer((request, response) => response.end(`${request.url} ${request.headers["x-user"]}`));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const folder = mkdtempSync(join(tmpdir(), "inmesh-config-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { port } = server.address() as AddressInfo;
    writeFileSync(join(folder, "services.json"), JSON.stringify({ users: [{ host: "127.0.0.1", port }] }));
    writeFileSync(
      join(folder, "mesh.yaml"),
      "discovery: { file: services.json }\npicker: { ringHash: { hashKey: { header: x-user } } }\nservices:\n  users: { timeoutMs: 3000 }\n",
    );
    const mesh = createMesh(await fromFile(join(folder, "mesh.yaml")));
    onTestFinished(() => mesh.close());
    const response = await mesh.fetch("users/1", { headers: { "x-user": "7" } });
    expect(await response.text()).toBe("/1 7");
  });

  test("may be JSON, and names every kind of value that only code can be", async () => {
    const options = await fromText(
      JSON.stringify({
        discovery: {
          fallback: {
            primary: { consul: { port: 1 } },
            secondary: {
              byService: { services: { a: { located: { source: { dns: { port: 80 } }, weight: 2 } } }, otherwise: { static: {} } },
            },
            switchAfterMs: 5,
          },
        },
        picker: "leastRequest",
        concurrency: { maxInFlight: { aimd: { initial: 30 } } },
        observers: [{ prometheus: {} }, "openTelemetry"],
        services: { orders: { picker: { maglev: { tableSize: 251 } }, breaker: false } },
      }),
      "mesh.json",
    );
    expect(options.discovery.name).toBe("consul at http://127.0.0.1:1, else dns and static list");
    expect(options.observers).toHaveLength(2);
    expect(options.concurrency).toMatchObject({ maxInFlight: { begin: expect.any(Function) } });
    expect(options.services?.["orders"]).toMatchObject({ breaker: false, picker: { pick: expect.any(Function) } });
    await options.discovery.close?.();
  });

  test("uses what the program names: pickers with their options, and values", async () => {
    const seen: unknown[] = [];
    const mine: Picker = roundRobin();
    const authorize = () => true;
    const options = await fromText(`${least}picker: { mine: { depth: 3 } }\nauthorize: \${code:allowed}\n`, "mesh.yaml", {
      pickers: {
        mine(given) {
          seen.push(given);
          return mine;
        },
      },
      values: { allowed: authorize },
    });
    expect(seen).toEqual([{ depth: 3 }]);
    expect(options.picker).toBe(mine);
    expect(options.authorize).toBe(authorize);
  });

  test("refuses a name of the program that is inmesh's own", async () => {
    const read = fromText(`${least}picker: adaptive\n`, "mesh.yaml", { pickers: { adaptive: () => roundRobin() } });
    await expect(read).rejects.toThrow(new TypeError('names: inmesh has a picker "adaptive" of its own'));
  });
});

describe("references of a configuration", () => {
  test("stand for variables and files; a number may come from a variable", async () => {
    const folder = mkdtempSync(join(tmpdir(), "inmesh-config-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, "zone"), "eu-2\n");
    const text = `${least}zone: \${file:zone}\ntimeoutMs: \${env:LIMIT}\nattemptTimeoutMs: \${env:OTHER:-700}\npropagateDeadline: \${env:PASS}\npeer: { name: "a$\${b}" }\n`;
    const options = await fromText(text, join(folder, "mesh.yaml"), { env: { LIMIT: "1500", PASS: "false" } }).catch(
      (error: Error) => error,
    );
    // `a${b}` is no name of a host: what is wrong is said of the text that the escape stands for.
    expect((options as Error).message).toMatch(/peer\.name must be .*"a\$\{b\}"/);
    const good = await fromText(text.replace('"a$${b}"', "a.b"), join(folder, "mesh.yaml"), { env: { LIMIT: "1500", PASS: "false" } });
    expect(good).toMatchObject({ zone: "eu-2", timeoutMs: 1_500, attemptTimeoutMs: 700, propagateDeadline: false, peer: { name: "a.b" } });
  });

  test.each([
    ["zone: ${env:NONE}", "mesh.yaml:2:7: the variable NONE is not set (${env:NONE:-else} has a value for that)"],
    ["zone: ${env:EMPTY}", "mesh.yaml:2:7: the variable EMPTY is empty (${env:EMPTY:-else} has a value for that)"],
    ["zone: ${file:/nowhere/at/all}", /^mesh\.yaml:2:7: \$\{file:\/nowhere\/at\/all\}: ENOENT/],
    ["zone: ${vault:x}", /^mesh\.yaml:2:7: \$\{vault:x\} is no reference; there are \$\{env:NAME\}/],
    ["authorize: a ${code:x}", "mesh.yaml:2:12: ${code:x} must be the whole value"],
    ["authorize: ${code:x}", /the program gives no value of this name; it gives y \(`values` of fromFile\)/],
  ])("%s", async (line, message) => {
    const fault = await faultOf(`${least}${line}\n`, { env: { EMPTY: "" }, values: { y: 1 } });
    if (typeof message === "string") expect(fault).toBe(message);
    else expect(fault).toMatch(message);
  });
});

describe("secrets", () => {
  const secret = "s3cr3t-of-the-test";

  test.each([
    [`discovery: { consul: { token: ${secret} } }`, "discovery.consul.token"],
    [`discovery: { eureka: { url: "http://user:${secret}@host:1/eureka" } }`, "discovery.eureka.url"],
    [`tls: { key: ${secret} }`, "tls.key"],
  ])("do not stand in the file, and no error shows them: %s", async (line, option) => {
    const fault = await faultOf(line.startsWith("discovery") ? line : `${least}${line}`);
    expect(fault).toContain(`${option} is a secret: it must be \${env:NAME} or \${file:PATH}`);
    expect(fault).not.toContain(secret);
  });

  test("of a variable are not in the error of another option", async () => {
    const fault = await faultOf("discovery: { consul: { token: '${env:TOKEN}', port: no } }", { env: { TOKEN: secret } });
    expect(fault).toMatch(/mesh\.yaml:1:53: consul: port must be/);
    expect(fault).not.toContain(secret);
  });
});

describe("an error of a configuration", () => {
  test.each([
    ["retry: { maxAttemps: 2 }", 'mesh.yaml:2:10: retry has no option "maxAttemps"; did you mean "maxAttempts"?'],
    ["maxAttempts: 2", 'mesh.yaml:2:1: the configuration has no option "maxAttempts"; "maxAttempts" is an option of retry'],
    ["retry: { budget: { ratio: 5 } }", "mesh.yaml:2:27: retry.budget.ratio must be from 0 to 1, not 5"],
    ["services:\n  orders: { timeoutMs: soon }", 'mesh.yaml:3:24: services.orders.timeoutMs must be a number, not "soon"'],
    ["services: { orders: { zone: a } }", /services\.orders has no option "zone"/],
    ["picker: roundrobin", 'mesh.yaml:2:9: picker: there is no picker "roundrobin"; did you mean roundRobin?'],
    [
      "picker: { adaptive: {}, random: {} }",
      "mesh.yaml:2:9: picker must be the name of a picker, or one name with its options: { name: { … } }",
    ],
    ["picker: { ringHash: { virtualNodes: 0 } }", "mesh.yaml:2:37: picker.ringHash.virtualNodes must be from 1 to 8388608, not 0"],
    ["picker: { ringHash: { minRingSize: 5, maxRingSize: 2 } }", /^mesh\.yaml:2:\d+: ringHash: minRingSize must be from 1 to 2, not 5/],
    ["breaker:", "mesh.yaml:2:1: breaker has no value; {} stands for the defaults of its options"],
    ["zone: a\nzone: b", "mesh.yaml:3:1: Map keys must be unique"],
    ["interceptors: [log]", /interceptors must be an array of functions; only code can make it: give it to fromFile/],
    ["observers: openTelemetry", "mesh.yaml:2:12: observers must be a list of observers"],
    ["healthCheck: { type: http, path: h }", /^mesh\.yaml:2:34: healthCheck\.path must be a path/],
    ["__proto__: { polluted: true }", /the configuration has no option "__proto__"/],
    ["services: { __proto__: { polluted: true } }", /services\.__proto__ has no option "polluted"/],
    ["serviceNames: [users]\nservices: { user: {} }", /"user"/],
  ])("names the option and its place: %s", async (lines, message) => {
    const fault = await faultOf(`${least}${lines}\n`);
    if (typeof message === "string") expect(fault).toBe(message);
    else expect(fault).toMatch(message);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test.each([
    ["", "mesh.yaml:1:1: it is empty; the least is a discovery, such as { discovery: consul }"],
    ["zone: a", "mesh.yaml:1:1: the configuration has no discovery, such as `discovery: consul`"],
    ["- a", "mesh.yaml:1:1: the configuration must be an object with options, not a list"],
    ["discovery: { fallback: { primary: dns } }", /fallback must have primary and secondary: secondary is missing/],
    ["discovery: { consul: { ulr: x } }", /^mesh\.yaml:1:24: consul has no option "ulr"/],
    [`discovery: ${"[".repeat(100)}`, "mesh.yaml: it is nested deeper than 64"],
    [`discovery: ${"x".repeat(1_048_577)}`, /^mesh\.yaml: the configuration has \d+ characters; 1048576 are allowed$/],
  ])("is said of a whole that is none: %#", async (text, message) => {
    const fault = await faultOf(text);
    if (typeof message === "string") expect(fault).toBe(message);
    else expect(fault).toMatch(message);
  });

  test("names a file that cannot be read", async () => {
    await expect(fromFile("/nowhere/mesh.yaml")).rejects.toThrow(/^\/nowhere\/mesh\.yaml: ENOENT/);
    await expect(fromFile(tmpdir())).rejects.toThrow(/it is not a regular file/);
  });
});
