import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { requireDist } from "../dist.ts";
import { available } from "../servers/available.ts";
import { startConsul } from "../servers/consul.ts";

const directory = join(import.meta.dirname, "../../examples/getting-started");
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A program of the page that runs until it is told to end. */
class Program {
  readonly #child: ChildProcess;
  output = "";

  constructor(file: string, env: Readonly<Record<string, string>>) {
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NODE_|VITEST|CONSUL_)/.test(name)));
    this.#child = spawn(process.execPath, [join(directory, file)], { env: { ...inherited, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    }
    cleanups.push(() => this.kill());
  }

  get pid(): string {
    return String(this.#child.pid);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Its exit code after SIGTERM, or by itself. */
  async end(signal?: "SIGTERM"): Promise<number | null> {
    const closed = once(this.#child, "close");
    if (signal !== undefined) this.#child.kill(signal);
    const [code] = (await closed) as [number | null];
    return code;
  }

  /** Waits until its output matches, and gives the last match. */
  async says(pattern: RegExp): Promise<string> {
    for (const endAt = Date.now() + 20_000; Date.now() < endAt; await pause(20)) {
      const found = [...this.output.matchAll(new RegExp(pattern, "g"))].at(-1);
      if (found !== undefined) return found[1] ?? found[0];
    }
    throw new Error(`no ${pattern} in: ${this.output}`);
  }
}

/** The text of a scrape, once it has this line: connections that the end of the process broke take no instance out, refused ones do. */
async function scrapeWith(url: string, line: string): Promise<string> {
  for (const endAt = Date.now() + 60_000; Date.now() < endAt; await pause(100)) {
    const text = await (await fetch(url)).text();
    if (text.includes(line)) return text;
  }
  throw new Error(`no ${line} at ${url}`);
}

describe.skipIf(!available("consul"))("docs/getting-started.md", () => {
  beforeAll(requireDist);

  it("works step by step on a real Consul, and loses no call when an instance is killed", { timeout: 120_000 }, async () => {
    const server = await startConsul();
    cleanups.push(() => server.stop());
    const env = { CONSUL_URL: server.url, PORT: "0" };

    const greeters = [new Program("greeter.ts", env), new Program("greeter.ts", env)];
    for (const greeter of greeters) await greeter.says(/instance \d+ listens on port \d+/);
    expect(Object.keys((await server.get("/v1/agent/services")) as object)).toHaveLength(2);

    const first = new Program("first-call.ts", env);
    expect(await first.end(), first.output).toBe(0);
    expect(first.output).toMatch(/^(200 hello from \d+\n){4}$/);

    const caller = new Program("caller.ts", env);
    const metrics = await caller.says(/metrics at (http:\S+)/);
    const [killed, other] = greeters;
    await caller.says(new RegExp(`\\d × 200 hello from ${killed?.pid}`));
    await caller.says(new RegExp(`\\d × 200 hello from ${other?.pid}`));
    killed?.kill();
    expect(await caller.says(/retry of a call to greeter: (\w+)/)).toMatch(/^ERR_MESH_/);
    // One second's answers by the instance that is left, and by no other.
    await caller.says(new RegExp(`\\n40 × 200 hello from ${other?.pid}\n`));

    const scraped = await scrapeWith(metrics, 'inmesh_endpoints{server_service_name="greeter",inmesh_endpoint_state="available"} 1\n');
    expect(scraped).toMatch(/inmesh_client_retries_total\{server_service_name="greeter",[^}]*\} [1-9]\d*\n/);
    expect(scraped).toMatch(
      /inmesh_client_call_duration_seconds_count\{server_service_name="greeter",[^}]*inmesh_outcome="success"\} \d+\n/,
    );
    expect(scraped).not.toContain('inmesh_outcome="error"');
    expect(scraped).toMatch(/inmesh_endpoints\{server_service_name="greeter",inmesh_endpoint_state="(ejected|probing)"\} 1\n/);

    expect(await caller.end("SIGTERM"), caller.output).toBe(0);
    expect(caller.output).toContain("greeter: 1 of 2 endpoints are candidates");
    expect(await other?.end("SIGTERM"), other?.output).toBe(0);
    expect(Object.keys((await server.get("/v1/agent/services")) as object)).toHaveLength(1);
  });
});
