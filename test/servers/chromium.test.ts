import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { available } from "./available.ts";
import { launchChromium } from "./chromium.ts";

const html = `<!doctype html><title>Loopback</title>
<style>body { background: rgb(0, 128, 0); font: 100px sans-serif } span { white-space: pre }</style>
<span id="narrow">iiiiiiii</span><br><span id="wide">WWWWWWWW</span><br><span id="mono">iiii</span>
<p id="said"></p><script>document.getElementById("said").textContent = "script " + (6 * 7)</script>`;

/** The processes whose command line has `flag` in it. */
const processesWith = async (flag: string): Promise<readonly string[]> => {
  const ids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const lines = await Promise.all(ids.map((id) => readFile(join("/proc", id, "cmdline"), "utf8").catch(() => "")));
  // The process that launches it has the flag among its arguments too.
  return ids.filter((_, index) => lines[index]?.includes(flag) && lines[index]?.includes("chromium-headless-shell"));
};

/** A program that launches a browser, says so, and waits for its end. */
const owner = (flag: string): string => `
  const { launchChromium } = await import(${JSON.stringify(join(import.meta.dirname, "chromium.ts"))});
  await launchChromium({ args: [${JSON.stringify(flag)}] });
  console.log("launched");
  setInterval(() => {}, 60_000);
`;

describe.skipIf(!available("chromium"))("A real Chromium", { timeout: 60_000 }, () => {
  const server = createServer((_, response) => response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html));
  let url: string;
  let browser: Browser;
  beforeAll(async () => {
    await once(server.listen(0, "127.0.0.1"), "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    browser = await launchChromium();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    server.closeAllConnections();
    server.close();
  });

  it("opens a page of loopback, runs its script and evaluates ours", async () => {
    const page = await browser.newPage();
    await page.goto(url);
    expect(await page.title()).toBe("Loopback");
    expect(await page.locator("#said").textContent()).toBe("script 42");
    expect(await page.evaluate("1 + 1")).toBe(2);
    await page.close();
  });

  it("draws text in a real font", async () => {
    const page = await browser.newPage();
    await page.goto(url);
    const width = async (id: string): Promise<number> => (await page.locator(id).boundingBox())?.width ?? 0;
    const [narrow, wide] = [await width("#narrow"), await width("#wide")];
    expect(narrow).toBeGreaterThan(100);
    expect(wide).toBeGreaterThan(3 * narrow);
    const session = await page.context().newCDPSession(page);
    await session.send("DOM.enable");
    await session.send("CSS.enable");
    const { root } = await session.send("DOM.getDocument");
    const { nodeId } = await session.send("DOM.querySelector", { nodeId: root.nodeId, selector: "#wide" });
    const { fonts } = await session.send("CSS.getPlatformFontsForNode", { nodeId });
    expect(fonts).toMatchObject([{ familyName: "Liberation Sans", glyphCount: 8 }]);
    await page.close();
  });

  it("takes screenshots of what the page shows", async () => {
    const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
    await page.goto(url);
    const png = await page.screenshot();
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([390, 844]);
    const source = JSON.stringify(`data:image/png;base64,${png.toString("base64")}`);
    const colour = await page.evaluate(`(async () => {
      const image = new Image();
      image.src = ${source};
      await image.decode();
      const context = document.createElement("canvas").getContext("2d");
      context.drawImage(image, -300, -800);
      return [...context.getImageData(0, 0, 1, 1).data];
    })()`);
    expect(colour).toEqual([0, 128, 0, 255]);
    await page.close();
  });

  it("reaches nobody but 127.0.0.1", async () => {
    let connections = 0;
    const listener = createTcpServer((socket) => {
      connections++;
      socket.destroy();
    });
    // Loopback too, but not the address that the browser may use: it stands for everybody else's.
    await once(listener.listen(0, "127.0.0.2"), "listening");
    const { port } = listener.address() as AddressInfo;
    const page = await browser.newPage();
    for (const host of ["127.0.0.2", "192.0.2.1", "inmesh.example"]) {
      await expect(page.goto(`http://${host}:${port}/`)).rejects.toThrow("ERR_NAME_NOT_RESOLVED");
    }
    expect(connections).toBe(0);
    await page.close();
    listener.close();
  });

  describe("in a directory for temporary files of its own", () => {
    let directory: string;
    const flag = `--inmesh-test=${randomUUID()}`;
    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), "inmesh-chromium-test-"));
      vi.stubEnv("TMPDIR", directory);
    });
    afterEach(async () => {
      vi.unstubAllEnvs();
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    });

    it("leaves neither a process nor a file behind when it is closed", async () => {
      const other = await launchChromium({ args: [flag] });
      expect(await processesWith(flag)).not.toEqual([]);
      expect(await readdir(directory)).not.toEqual([]);
      await other.close();
      await expect.poll(() => processesWith(flag), { timeout: 10_000 }).toEqual([]);
      expect(await readdir(directory)).toEqual([]);
    });

    it("says why when it can't be started", async () => {
      await expect(launchChromium({ args: ["--user-data-dir=/nowhere"] })).rejects.toThrow("--user-data-dir");
    });

    it.each(["SIGTERM", "SIGKILL"] as const)("ends with the process that launched it, also by %s", async (signal) => {
      const child = spawn(process.execPath, ["--input-type=module", "-e", owner(flag)], { stdio: ["ignore", "pipe", "ignore"] });
      try {
        await once(child.stdout, "data");
        expect(await processesWith(flag)).not.toEqual([]);
        const exited = once(child, "exit", { signal: AbortSignal.timeout(10_000) });
        child.kill(signal);
        expect(await exited).toEqual([null, signal]);
      } finally {
        child.kill("SIGKILL");
      }
      await expect.poll(() => processesWith(flag), { timeout: 10_000 }).toEqual([]);
    });
  });
});
