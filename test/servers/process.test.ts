import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { isAlive } from "./is-alive.ts";
import { requestJson } from "./json-request.ts";
import { freePorts, startOnFreePorts } from "./ports.ts";
import { type ServerProcess, startProcess } from "./process.ts";

const node = (script: string, ...args: readonly string[]) => ({ file: process.execPath, args: ["-e", script, ...args] });
const answering = 'require("node:http").createServer((q, s) => s.end("{}")).listen(process.argv[1], "127.0.0.1")';
const stubborn = `process.on("SIGTERM", () => {}); ${answering}`;

const start = async (script: string, options: { readonly graceMs?: number } = {}): Promise<ServerProcess & { url: string }> => {
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const server = await startProcess({
    name: "double",
    prepare: () => node(script, String(port)),
    probe: async (signal) => void (await requestJson(url, { signal })),
    ...options,
  });
  return Object.assign(server, { url });
};

describe("A server process", { timeout: 30_000 }, () => {
  it("answers when its start resolves, and is gone with its directory when its stop resolves", async () => {
    const server = await start(answering);
    const { pid, directory, url } = server;
    expect(await requestJson(url)).toEqual({});
    expect(existsSync(directory)).toBe(true);
    await server.stop();
    await server.stop();
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(directory)).toBe(false);
    await expect(server.restart()).rejects.toThrow("stopped for good");
  });

  it("is killed when it takes no notice of SIGTERM", async () => {
    const server = await start(stubborn, { graceMs: 100 });
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
  });

  it("can be stopped while it is paused", async () => {
    const server = await start(answering);
    server.pause();
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
  });

  it("says what the program printed when it ends before it answers", async () => {
    const started = startProcess({
      name: "double",
      prepare: () => node('console.error("no such luck"); process.exit(3)'),
      probe: () => Promise.reject(new Error("not yet")),
    });
    await expect(started).rejects.toThrow(/double exited with code 3 before it answered.*\n.*no such luck/);
  });

  it("says what the program printed when it doesn't answer by the deadline", async () => {
    const started = startProcess({
      name: "double",
      prepare: () => node('console.log("thinking"); setInterval(() => {}, 1000)'),
      probe: () => Promise.reject(new Error("not yet")),
      deadlineMs: 1_500,
    });
    await expect(started).rejects.toThrow(/did not answer within 1500 ms \(Error: not yet\).*\nthinking/);
  });

  it("says so when the program doesn't exist", async () => {
    const started = startProcess({
      name: "double",
      prepare: () => ({ file: join(import.meta.dirname, "no-such-program"), args: [] }),
      probe: () => Promise.reject(new Error("not yet")),
    });
    await expect(started).rejects.toThrow("no-such-program");
  });

  it("is tried on other ports when somebody else was quicker", async () => {
    const tried: (number | undefined)[] = [];
    const port = await startOnFreePorts(1, "127.0.0.1", async ([port]) => {
      tried.push(port);
      if (tried.length === 1) throw new Error("listen: address already in use");
      return port;
    });
    expect(tried).toHaveLength(2);
    expect(port).toBe(tried[1]);
    expect(tried[0]).not.toBe(tried[1]);
  });
});

const owner = (end: string): string => `
  import { startProcess } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, "process.ts")).href)};
  const server = await startProcess({
    name: "double",
    prepare: () => ({ file: process.execPath, args: ["-e", ${JSON.stringify(stubborn)}, "0"] }),
    probe: async () => {},
  });
  console.log(JSON.stringify([server.pid, server.directory]));
  ${end}
`;

const startOwner = async (end: string) => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", owner(end)], { stdio: ["ignore", "pipe", "ignore"] });
  const exited = once(child, "exit");
  child.stdout.setEncoding("utf8");
  const [line] = (await once(child.stdout, "data")) as [string];
  const [pid, directory] = JSON.parse(line) as [number, string];
  return { child, exited, pid, directory };
};

describe("A server process whose owner ends", { timeout: 30_000 }, () => {
  it.each(["SIGINT", "SIGTERM"] as const)("by %s ends too, and its directory is removed", async (signal) => {
    const { child, exited, pid, directory } = await startOwner("setInterval(() => {}, 1000);");
    child.kill(signal);
    expect(await exited).toEqual([null, signal]);
    await expect.poll(() => isAlive(pid)).toBe(false);
    expect(existsSync(directory)).toBe(false);
  });

  it.each([
    ["process.exit", "process.exit(7);", 7],
    ["an uncaught exception", 'throw new Error("crash");', 1],
  ])("by %s ends too, and its directory is removed", async (_, end, code) => {
    const { exited, pid, directory } = await startOwner(end);
    expect(await exited).toEqual([code, null]);
    await expect.poll(() => isAlive(pid)).toBe(false);
    expect(existsSync(directory)).toBe(false);
  });

  it("by a signal that it handles itself lives until that is done", async () => {
    const { child, exited, pid } = await startOwner(`
      process.once("SIGTERM", () => setTimeout(() => {
        process.kill(server.pid, 0);
        process.exit(9);
      }, 50));
    `);
    child.kill("SIGTERM");
    expect(await exited).toEqual([9, null]);
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  it.skipIf(process.platform !== "linux")("by SIGKILL ends too", async () => {
    const { child, exited, pid, directory } = await startOwner("setInterval(() => {}, 1000);");
    child.kill("SIGKILL");
    await exited;
    await expect.poll(() => isAlive(pid)).toBe(false);
    await rm(directory, { recursive: true });
  });
});
