import { execFile, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { requireDist } from "../dist.ts";
import { available, nodeProgram } from "../servers/available.ts";
import { type ConsulServer, startConsul } from "../servers/consul.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/guides/permission-model.md"), "utf8");
const programs = new Map(
  [...page.matchAll(/<!-- permission: (\S+) -->\n```js\n([\s\S]*?)```/g)].map(([, name = "", code = ""]) => [name, code]),
);
/** The flags of the page for a program, by the major version of Node. */
const flagsOf = (heading: string, major: string): readonly string[] => {
  const section = page.split(`## ${heading}`)[1]?.split("\n## ")[0] ?? "";
  const row = section
    .split("\n")
    .find((line) => line.startsWith("|") && (line.split("|")[1] ?? "").split(",").some((each) => each.trim() === major));
  return /`([^`]+)`/.exec(row ?? "")?.[1]?.split(" ") ?? [];
};
const versions = [
  ["24", true, () => join(root, "node_modules/node/bin/node")],
  ["22", available("node22"), () => nodeProgram("node22")],
  ["26", available("node26"), () => nodeProgram("node26")],
] as const;

describe.skipIf(!available("consul"))("the flags of docs/guides/permission-model.md", () => {
  let consul: ConsulServer;
  let app = "";
  let etc = "";
  let env: NodeJS.ProcessEnv = {};
  beforeAll(async () => {
    requireDist();
    mkdirSync(join(root, ".test-results"), { recursive: true });
    app = mkdtempSync(join(root, ".test-results/permission-"));
    for (const [name, code] of programs) writeFileSync(join(app, name), code);
    etc = mkdtempSync(join(tmpdir(), "inmesh-greeter-"));
    writeFileSync(join(etc, "policy.yaml"), "rules:\n  - { id: hello, action: allow, to: { methods: [GET], paths: [/] } }\n");
    consul = await startConsul();
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NODE_|VITEST)/.test(name)));
    env = { ...inherited, CONSUL_URL: consul.url, POLICY_FILE: join(etc, "policy.yaml") };
  }, 60_000);
  afterAll(async () => {
    await consul?.stop();
    for (const folder of [app, etc]) if (folder !== "") rmSync(folder, { recursive: true, force: true });
  });

  /** The package is that of this repository, whose modules may be elsewhere by a link. */
  const argsOf = (flags: readonly string[], program: string): string[] => [
    ...flags.flatMap((flag) => {
      if (flag === "--allow-fs-read=/app") return [root, realpathSync(join(root, "node_modules"))].map((path) => `--allow-fs-read=${path}`);
      return [flag.replace("/etc/greeter", etc)];
    }),
    join(app, program),
  ];
  const run = (node: string, args: readonly string[]) =>
    new Promise<{ code: number | null; printed: string; output: string }>((resolve) => {
      const child = execFile(node, args, { env, timeout: 60_000, killSignal: "SIGKILL" }, (_error, stdout, stderr) =>
        resolve({ code: child.exitCode, printed: stdout, output: stdout + stderr }),
      );
    });

  it("are there for both programs and each version", () => {
    expect([...programs.keys()]).toEqual(["client.mjs", "server.mjs"]);
    for (const [major] of versions)
      for (const heading of ["A client", "A server"]) expect(flagsOf(heading, major)).toContain("--allow-fs-read=/app");
  });

  it("let a client keep its last good endpoints in a directory that it may read and write, and in no other", {
    timeout: 60_000,
  }, async () => {
    const code = `
      import { setTimeout as pause } from "node:timers/promises";
      import { createMesh } from "inmesh";
      import { consul } from "inmesh/consul";
      const mesh = createMesh({ discovery: consul({ url: process.env.CONSUL_URL }), lastGoodDirectory: process.env.LAST_GOOD });
      await mesh.warm("consul", { maxInstances: 0 });
      await pause(500);
      await mesh.close();
    `;
    writeFileSync(join(app, "last-good.mjs"), code);
    const folder = mkdtempSync(join(tmpdir(), "inmesh-last-good-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    env = { ...env, LAST_GOOD: folder };
    const flags = flagsOf("A client", "24");
    const without = await run(process.execPath, argsOf(flags, "last-good.mjs"));
    expect(without.code, without.output).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
    const granted = await run(
      process.execPath,
      argsOf([...flags, `--allow-fs-read=${folder}`, `--allow-fs-write=${folder}`], "last-good.mjs"),
    );
    expect(granted.code, granted.output).toBe(0);
    expect(readdirSync(folder).length).toBeGreaterThan(0);
  });

  describe.each(versions)("on Node %s", (major, isAvailable, program) => {
    it.skipIf(!isAvailable)(
      "let a server register, decide by its policy and leave, and a client call it",
      { timeout: 120_000 },
      async () => {
        const server = spawn(program(), argsOf(flagsOf("A server", major), "server.mjs"), { env, stdio: ["ignore", "pipe", "pipe"] });
        onTestFinished(() => void server.kill("SIGKILL"));
        let said = "";
        const ended = new Promise<number | null>((resolve) => server.once("exit", resolve));
        const registered = new Promise<void>((resolve) => {
          for (const stream of [server.stdout, server.stderr])
            stream.setEncoding("utf8").on("data", (text: string) => {
              said += text;
              if (said.includes("registered")) resolve();
            });
        });
        await Promise.race([registered, ended]);
        expect(said).toContain("registered");
        expect(said).not.toContain("ERR_ACCESS_DENIED");
        const called = await run(program(), argsOf(flagsOf("A client", major), "client.mjs"));
        expect(called).toMatchObject({ code: 0, printed: "200 hello\n" });
        server.kill("SIGTERM");
        expect(await ended, said).toBe(0);
      },
    );

    it.skipIf(!isAvailable)("are the fewest: without one of them the programs fail", { timeout: 120_000 }, async () => {
      for (const [heading, name] of [
        ["A client", "client.mjs"],
        ["A server", "server.mjs"],
      ] as const) {
        const flags = flagsOf(heading, major);
        for (const left of flags.filter((flag) => flag !== "--permission")) {
          const { code, output } = await run(
            program(),
            argsOf(
              flags.filter((flag) => flag !== left),
              name,
            ),
          );
          expect(code, `${name} without ${left}: ${output}`).not.toBe(0);
          expect(output, `${name} without ${left}`).toMatch(/ERR_ACCESS_DENIED|access .*restricted|denied/i);
        }
      }
    });
  });
});
