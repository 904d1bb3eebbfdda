import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, expect, it, onTestFinished } from "vitest";
import { ProcessHold } from "../../../../src/identity/spiffe/streams/process-hold.ts";
import { Authority } from "../../../support/authority.ts";
import { until } from "../../../support/until.ts";
import { svidOf, WorkloadAgent } from "../../../support/workload-agent.ts";

const folder = mkdtempSync(join(tmpdir(), "hold-"));
const id = "spiffe://example.org/shop/orders";
const module = JSON.stringify(new URL("../../../../src/identity/spiffe/workload-api.ts", import.meta.url).href);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A process that watches an agent and does nothing else. */
function watching(agent: WorkloadAgent) {
  const script = `
    import { workloadApi } from ${module};
    const watch = workloadApi({ socket: "${agent.socket}" }).watch({
      update: () => console.log("an identity"),
      withdraw: () => console.log("withdrawn"),
      fail: (error) => console.log(error.message),
    });`;
  const child = spawn(process.execPath, ["--input-type=module", "--no-warnings", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, printed: text(child.stdout) };
}

async function agentOf(name: string): Promise<{ agent: WorkloadAgent; give: () => Promise<void> }> {
  const agent = new WorkloadAgent(join(folder, `${name}.sock`));
  await agent.start();
  onTestFinished(() => agent.stop());
  const authority = await Authority.create("example.org");
  return { agent, give: async () => agent.give({ svids: [svidOf(id, await authority.issue({ uris: [id] }), authority)] }) };
}

it("a process that has its identity ends by itself, although the stream to the agent is open", async () => {
  const { agent, give } = await agentOf("answers");
  await give();
  const { child, printed } = watching(agent);
  expect(await once(child, "close", { signal: AbortSignal.timeout(20_000) })).toEqual([0, null]);
  expect(await printed).toBe("an identity\n");
});

it("a process whose agent has not answered yet waits for it", async () => {
  const { agent, give } = await agentOf("silent");
  const { child, printed } = watching(agent);
  await until("the stream", () => agent.streams === 1, 20_000);
  // Longer than a process without work would live. One that is slow to end cannot make this fail.
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(child.exitCode).toBeNull();
  await give();
  expect(await once(child, "close", { signal: AbortSignal.timeout(20_000) })).toEqual([0, null]);
  expect(await printed).toBe("an identity\n");
});

it("credentials of a package that is made otherwise are used as they are", () => {
  const other = {} as Parameters<ProcessHold["over"]>[0];
  expect(new ProcessHold(false).over(other)).toBe(other);
});
