import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

/** What `leaking-client.ts` prints: before and after ten thousand calls and as many changes of the endpoints. */
interface Report {
  readonly calls: number;
  readonly failed: number;
  readonly flaps: number;
  readonly heapBefore: number;
  readonly heapAfter: number;
  /** Of the signal that every call was given, of the process. */
  readonly listeners: number;
  readonly resourcesBefore: readonly string[];
  readonly resourcesAfterClose: readonly string[];
}

describe("a mesh", () => {
  it("leaves no listener, timer, socket or heap behind after ten thousand calls and flaps, and ends by itself", async () => {
    const client = fileURLToPath(new URL("leaking-client.ts", import.meta.url));
    const child = spawn(process.execPath, ["--expose-gc", client], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), 90_000);
    const [code] = await once(child, "exit");
    clearTimeout(timer);
    expect(code, "it was ended because it did not end by itself").toBe(0);
    const report: Report = JSON.parse(output);
    expect(report).toMatchObject({ calls: 10_000, failed: 0, flaps: 10_000, listeners: 0 });
    // Within 5 % or one mebibyte: compiled code and the like come and go.
    expect(report.heapAfter).toBeLessThan(Math.max(report.heapBefore * 1.05, report.heapBefore + 2 ** 20));
    expect(report.resourcesAfterClose).toEqual(report.resourcesBefore);
  }, 120_000);
});
