import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

interface Child {
  readonly process: ChildProcess;
  readonly port: number;
  readonly exit: Promise<{ code: number | null; signal: string | null }>;
  output: string;
}

async function start(options: object): Promise<Child> {
  const process_ = spawn(process.execPath, [join(import.meta.dirname, "served-process.ts"), JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(process_);
  const child = {
    process: process_,
    port: 0,
    output: "",
    exit: once(process_, "exit").then(([code, signal]) => ({ code, signal })),
  };
  process_.stdout?.setEncoding("utf8").on("data", (text: string) => (child.output += text));
  await expect.poll(() => child.output, { timeout: 20_000 }).toMatch(/port \d+/);
  return {
    ...child,
    port: Number(/port (\d+)/.exec(child.output)?.[1]),
    get output() {
      return child.output;
    },
  };
}

describe.each(["SIGTERM", "SIGINT"] as const)("%s", (signal) => {
  test("lets the process answer what is under way and then end by itself", async () => {
    const child = await start({ handlerMs: 300 });
    const answer = fetch(`http://127.0.0.1:${child.port}`).then((response) => response.text());
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.process.kill(signal);
    expect(await answer).toBe("ok");
    expect(await child.exit).toEqual({ code: 0, signal: null });
    expect(child.output).toContain(`leaves upon ${signal}`);
    expect(child.output).toMatch(/stopped after \d+ ms/);
  });

  test("ends the process at once when it comes a second time", async () => {
    const child = await start({ lameDuckMs: 60_000 });
    // A caller that is no mesh: the lame duck takes its time.
    await fetch(`http://127.0.0.1:${child.port}`);
    child.process.kill(signal);
    await expect.poll(() => child.output).toContain("leaves upon");
    child.process.kill(signal);
    expect(await child.exit).toEqual({ code: null, signal });
  });
});

test("a second signal cuts everything off where the program listens to it too", async () => {
  const child = await start({ lameDuckMs: 60_000, ownListener: true });
  await fetch(`http://127.0.0.1:${child.port}`);
  child.process.kill("SIGTERM");
  await expect.poll(() => child.output).toContain("leaves upon");
  child.process.kill("SIGTERM");
  expect(await child.exit).toEqual({ code: 0, signal: null });
});

test("a signal while the program is not ready ends the process without a lame duck", async () => {
  const child = await start({ lameDuckMs: 0, warm: ["absent"] });
  child.process.kill("SIGTERM");
  expect(await child.exit).toEqual({ code: 0, signal: null });
});
