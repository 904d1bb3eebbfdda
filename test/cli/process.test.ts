import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { admin } from "../../src/admin/admin.ts";
import { createMesh, staticDiscovery } from "../../src/index.ts";
import { isAlive } from "../servers/is-alive.ts";
import { terminalScreen } from "../support/terminal-screen.ts";
import { until } from "../support/until.ts";
import { toyInstance } from "./toy-instance.ts";

const program = join(import.meta.dirname, "../../src/cli/inmesh.ts");
const timeout = 60_000;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "inmesh-cli-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** An environment without the settings of the tests. */
function environment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(NODE_|VITEST|FORCE_COLOR|NO_COLOR|CONSUL_|TERM$|npm_)/i.test(name));
  return { ...Object.fromEntries(kept), TERM: "xterm", ...more };
}

function start(args: readonly string[]): { child: ChildProcess; output: () => string; ended: Promise<number | null> } {
  const child = spawn(process.execPath, [program, ...args], { env: environment(), stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  return { child, output: () => output, ended: once(child, "close").then(([code]) => code as number | null) };
}

/** Starts a line of shell in a pseudo-terminal; `type` presses keys there. */
function startOnTerminal(line: string, env: Readonly<Record<string, string>> = {}) {
  const child = spawn("script", ["-qec", line, "/dev/null"], {
    env: environment(env),
    stdio: ["pipe", "pipe", "inherit"],
    timeout: 30_000,
    killSignal: "SIGKILL",
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  return { output: () => text, type: (keys: string) => child.stdin.write(keys), ended: once(child, "close").then(() => text) };
}

/** Runs a line of shell in a pseudo-terminal and gives what it wrote on it. */
function onTerminal(line: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  return startOnTerminal(line, env).ended;
}

const inmesh = `'${process.execPath}' '${program}'`;
const orders = "--static orders=127.0.0.1:4001";

describe("the program", { timeout }, () => {
  it("ends by itself with the exit code of the command, and keeps results and messages apart", async () => {
    const run = (args: readonly string[]) =>
      new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
        const child = execFile(process.execPath, [program, ...args], { env: environment() }, (_error, stdout, stderr) =>
          resolve({ code: child.exitCode, stdout, stderr }),
        );
      });
    expect(await run(["services", "--static", "a=127.0.0.1:1"])).toEqual({ code: 0, stdout: "SERVICE\na\n", stderr: "" });
    expect(await run(["endpoints", "b", "--static", "a=127.0.0.1:1"])).toEqual({
      code: 3,
      stdout: "",
      stderr: 'static list lists no endpoint of "b"\n',
    });
    expect(await run(["nonsense"])).toMatchObject({ code: 2, stdout: "" });
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("ends quietly on %s", async (signal, code) => {
    const watch = start(["watch", "orders", ...orders.split(" ")]);
    await until("it watches", () => watch.output().includes("added"), 20_000);
    const before = watch.output();
    watch.child.kill(signal);
    expect(await watch.ended).toBe(code);
    expect(watch.output()).toBe(before);
  });

  it("ends quietly when nobody reads on", async () => {
    await using instance = await toyInstance((_, response) => {
      const write = (): void => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
      };
      response.on("drain", write);
      write();
    });
    const line = `${inmesh} fetch shop/ --static shop=127.0.0.1:${instance.port} --timeout 30s | head -c 10; echo " codes: \${PIPESTATUS[0]}"`;
    const child = spawn("bash", ["-c", line], { env: environment(), stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
    await once(child, "close");
    expect(output).toBe("xxxxxxxxxx codes: 0\n");
  });

  it("streams a body that is larger than memory would like, no faster than it is read", async () => {
    const size = 64 * 2 ** 20;
    await using instance = await toyInstance((_, response) => {
      let left = size;
      const write = (): void => {
        while (left > 0) {
          left -= 65_536;
          if (!response.write(Buffer.alloc(65_536, 120))) {
            response.once("drain", write);
            return;
          }
        }
        response.end();
      };
      write();
    });
    const line = `${inmesh} fetch shop/ --static shop=127.0.0.1:${instance.port} --timeout 50s | wc -c`;
    const child = spawn("bash", ["-c", line], { env: environment(), stdio: ["ignore", "pipe", "inherit"] });
    const [bytes] = (await once(child.stdout, "data")) as [Buffer];
    expect(Number(String(bytes))).toBe(size);
  });

  it("leaves no process of the demo behind", async () => {
    const demo = start(["demo"]);
    await until("the load runs", () => demo.output().includes("share the load"), 20_000);
    const children = (await readFile(`/proc/${demo.child.pid}/task/${demo.child.pid}/children`, "utf8")).trim().split(" ").map(Number);
    expect(children).toHaveLength(3);
    demo.child.kill("SIGINT");
    expect(await demo.ended).toBe(130);
    await until("the instances are gone", () => !children.some(isAlive), 5_000);
  });

  it("serves the live page of the demo on request, and reports to a file", async () => {
    const file = join(directory, "demo.json");
    const demo = start(["demo", "--seconds", "4", "--admin-port", "0", "--json", file]);
    await until("the page is there", () => /live page: \S+/.test(demo.output()), 20_000);
    const [, url = ""] = /live page: (\S+)/.exec(demo.output()) ?? [];
    await until("it shows the load", async () => {
      const snapshot = (await (await fetch(`${url}api/mesh`)).json()) as { services: { rps: number }[] };
      return (snapshot.services[0]?.rps ?? 0) > 10;
    });
    expect(await demo.ended).toBe(0);
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ registry: "memory", getFailed: 0 });
  });
});

// util-linux makes the pseudo-terminals.
describe.skipIf(!existsSync("/usr/bin/script"))("the program on a terminal", { timeout }, () => {
  it("shows colours and progress there alone", async () => {
    const colored = await onTerminal(`${inmesh} watch orders ${orders} --for 200ms`);
    expect(colored).toContain("\u001b[32madded");
    expect(await onTerminal(`${inmesh} watch orders ${orders} --for 200ms | cat`)).not.toContain("\u001b[3");
    expect(await onTerminal(`${inmesh} watch orders ${orders} --for 200ms --color always | cat`)).toContain("\u001b[32madded");
    expect(await onTerminal(`${inmesh} watch orders ${orders} --for 200ms`, { NO_COLOR: "1" })).not.toContain("\u001b[3");
    expect(await onTerminal(`${inmesh} endpoints orders ${orders}`)).toContain("asking static list");
    expect(await onTerminal(`${inmesh} endpoints orders ${orders} 2>/dev/null`)).not.toContain("asking");
  });

  it.each([60, 80, 120])("redraws the demo in place, on %i columns", async (columns) => {
    const rows = 24;
    const text = await onTerminal(`stty cols ${columns} rows ${rows}; ${inmesh} demo --seconds 6`);
    expect(text).toContain("\u001b[0J");
    expect(text).toContain("\u001b[32m█");
    const { lines, wrapped } = await terminalScreen(text, columns, rows);
    expect(wrapped).toEqual([]);
    // A line of an earlier picture would be there once more.
    expect(lines.filter((line) => line.startsWith("inmesh demo"))).toHaveLength(1);
    for (const id of ["shop-a", "shop-b", "shop-c"]) expect(lines.filter((line) => line.startsWith(`${id} `))).toHaveLength(1);
    const events = lines.filter((line) => /^ +\d+\.\d s {2}/.test(line));
    expect(events.length).toBeGreaterThan(3);
    expect(new Set(events).size).toBe(events.length);
    expect(lines).toContain("No GET failed.");
  });

  it("writes a help and a table that fit, whatever the width of the terminal", async () => {
    for (const columns of [60, 80, 200]) {
      const text = await onTerminal(`stty cols ${columns} rows 50; ${inmesh} fetch --help; ${inmesh} endpoints orders ${orders}`);
      const { lines, wrapped } = await terminalScreen(text, columns, 50);
      expect(wrapped).toEqual([]);
      expect(lines.join("\n")).toMatch(/127\.0\.0\.1:4001 +127\.0\.0\.1:4001 +no/);
    }
  });

  it.each([
    ["Ctrl-C", (terminal: { type(keys: string): unknown }) => terminal.type("\u0003")],
    ["SIGINT", (_: unknown, pid: number) => process.kill(pid, "SIGINT")],
  ])("gives the terminal back when top is interrupted by %s", async (_name, interrupt) => {
    await using instance = await toyInstance((_, response) => response.end("hello"));
    const mesh = createMesh({ discovery: staticDiscovery({ shop: [{ host: "127.0.0.1", port: instance.port }] }) });
    const page = await admin(mesh, { port: 0 });
    try {
      await (await mesh.fetch("shop/")).text();
      const terminal = startOnTerminal(`sh -c 'echo "pid $$"; exec "$0" "$@"' ${inmesh} top --admin ${page.url}; echo "code $?"; stty -a`);
      await until("a picture", () => terminal.output().includes("shop"), 20_000);
      expect(terminal.output()).toContain("\u001b[?1049h");
      interrupt(terminal, Number(/pid (\d+)/.exec(terminal.output())?.[1]));
      const [, after = ""] = (await terminal.ended).split("\u001b[?1049l");
      expect(after).toMatch(/^code 130/);
      expect(after).toMatch(/ icanon .* echo /s);
    } finally {
      await page.close();
      await mesh.close();
    }
  });
});
