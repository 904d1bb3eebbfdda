import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { Browser, CDPSession } from "playwright-core";
import { progress } from "./report.ts";

/** The cost of a page while it was open. */
export interface BrowserCost {
  /** Percent of a core that the page's main thread was busy. */
  readonly mainThread: number;
  /** Percent of a core that all of the browser's processes took, drawing by software included. */
  readonly allProcesses: number;
  /** Bytes of the page's heap after a collection: the medians of the first third and of the last third of the samples. */
  readonly heap: readonly [first: number, last: number];
  /** Numbers of DOM nodes, likewise. */
  readonly nodes: readonly [first: number, last: number];
}

const sampleMs = 5_000;

/** Opens `url` for so many minutes and measures. */
export async function browserCost(browser: Browser, url: string, minutes: number): Promise<BrowserCost> {
  const page = await browser.newPage({ viewport: { width: 1_280, height: 900 } });
  try {
    await page.goto(url);
    await page.locator("tbody tr").first().waitFor();
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable");
    // The page draws two minutes of seconds. Until it has them all, its growth is no leak.
    await pause(Math.min(130_000, minutes * 20_000));
    const pids = processesOf(browserPid());
    const before = await metrics(session);
    const [startedAt, ticksBefore] = [performance.now(), ticks(pids)];
    const heaps: number[] = [];
    const nodes: number[] = [];
    while (performance.now() - startedAt < minutes * 60_000) {
      await pause(sampleMs);
      await session.send("HeapProfiler.collectGarbage");
      const now = await metrics(session);
      heaps.push(now["JSHeapUsedSize"] as number);
      nodes.push(now["Nodes"] as number);
      progress(
        "admin",
        `${url.includes("#/s") ? "service" : "overview"}: ${Math.round((performance.now() - startedAt) / 1_000)} s of ${minutes * 60}`,
      );
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    const after = await metrics(session);
    return {
      mainThread: (100 * ((after["TaskDuration"] as number) - (before["TaskDuration"] as number))) / seconds,
      allProcesses: (ticks(pids) - ticksBefore) / seconds,
      heap: ends(heaps),
      nodes: ends(nodes),
    };
  } finally {
    await page.close();
  }
}

async function metrics(session: CDPSession): Promise<Readonly<Record<string, number>>> {
  const { metrics: list } = await session.send("Performance.getMetrics");
  return Object.fromEntries(list.map(({ name, value }) => [name, value]));
}

function ends(values: readonly number[]): readonly [number, number] {
  const third = Math.max(1, Math.floor(values.length / 3));
  const middle = (part: readonly number[]) => [...part].sort((one, other) => one - other)[part.length >> 1] ?? 0;
  return [middle(values.slice(0, third)), middle(values.slice(-third))];
}

/** The browser is a child of this process. */
function browserPid(): number {
  const children = parents().filter(({ pid, parent }) => parent === process.pid && isBrowser(pid));
  return children[0]?.pid ?? 0;
}

function processesOf(root: number): readonly number[] {
  const all = parents();
  const found = [root];
  for (const pid of found) found.push(...all.filter(({ parent }) => parent === pid).map((each) => each.pid));
  return found;
}

function parents(): readonly { readonly pid: number; readonly parent: number }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), parent: Number(statOf(Number(name))[1] ?? 0) }));
}

function isBrowser(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("chromium");
  } catch {
    return false;
  }
}

/** The fields of a process after its name, which may hold any character; none for a process that has ended. */
function statOf(pid: number): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return [];
  }
}

/** User and system time in hundredths of a second. */
function ticks(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + Number(statOf(pid)[11] ?? 0) + Number(statOf(pid)[12] ?? 0), 0);
}
