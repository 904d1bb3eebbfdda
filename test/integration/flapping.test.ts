import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

/** What `flapping-client.ts` prints: the heap before, after 10 rounds, and after 100. */
interface Report {
  readonly addresses: number;
  readonly answered: number;
  readonly heapBefore: number;
  readonly heapAfter: number;
  readonly heapAtEnd: number;
}

describe("endpoints that come and go with ever new addresses", () => {
  it("leave nothing behind, under any picker, with breakers, health checks, ejection and telemetry", async () => {
    const client = fileURLToPath(new URL("flapping-client.ts", import.meta.url));
    const child = spawn(process.execPath, ["--expose-gc", client], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), 150_000);
    const [code] = await once(child, "exit");
    clearTimeout(timer);
    expect(code, "it was ended because it did not end by itself").toBe(0);
    const { addresses, answered, heapBefore, heapAfter, heapAtEnd }: Report = JSON.parse(output);
    expect(addresses).toBeGreaterThan(12_000);
    expect(answered).toBeGreaterThan(4_000);
    // The ids of 7,200 endpoints alone are 1.7 MiB. Compiled code and the like come and go.
    expect(heapAtEnd - heapAfter).toBeLessThan(1.5 * 2 ** 20);
    expect(heapAfter - heapBefore).toBeLessThan(1.5 * 2 ** 20);
  }, 180_000);
});
