import { available } from "../test/servers/available.ts";
import { launchChromium } from "../test/servers/chromium.ts";
import { browserCost } from "./admin-browser.ts";
import type { AdminAnswer, AdminQuestion } from "./admin-process.ts";
import { startChild } from "./children.ts";
import { measuredVersion } from "./measured-node.ts";
import { atMost, type BenchReport } from "./report.ts";
import { measureRounds } from "./rounds.ts";

const rps = 1_000;
const secondsPerTurn = 3;
const services = 20;
const modes = ["no page", "page served, nobody looks", "page open at the overview", "page open at a service"] as const;
type Mode = (typeof modes)[number];

/** Measures what the live page costs the process that serves it, and the browser that shows it. `minutes`: how long each view is open. */
export async function adminPage({
  rounds = 9,
  minutes = 1,
}: {
  readonly rounds: number | undefined;
  readonly minutes: number | undefined;
}): Promise<BenchReport> {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await startChild<never, number>("json-server.ts"));
  // One process for all cases: of two processes one is always a little dearer, whatever they do.
  const caller = stack.use(await startChild<AdminQuestion, AdminAnswer>("admin-process.ts", [String(server.ready), String(rps)]));
  const turn = async (mode: Mode): Promise<number> => {
    const { url } = await caller.ask({ isServed: mode !== "no page" });
    const reading = new AbortController();
    const read = mode.includes("open") ? readAsThePage(url, mode === "page open at a service", reading.signal).catch(() => {}) : undefined;
    const { percent } = await caller.ask({ seconds: secondsPerTurn });
    reading.abort();
    await read;
    return percent;
  };
  const measured = await measureRounds("admin", rounds, Object.fromEntries(modes.map((mode) => [mode, () => turn(mode)])));
  const added = (mode: Mode) => measured.difference(mode, "no page");
  const rows: (string | number)[][] = modes.map((mode) => [mode, measured.median(mode), added(mode), "", "", "", ""]);
  const most = Math.max(...modes.map(added));
  const bounds = [atMost("% of a core that the page adds at 1,000 calls a second", most, 1)];
  if (available("chromium")) {
    const browser = await launchChromium();
    stack.defer(() => browser.close());
    const { url } = await caller.ask({ isServed: true });
    // It reads until the process ends.
    caller.ask({ seconds: 86_400 }).catch(() => {});
    for (const [name, path] of [
      ["browser: overview", ""],
      ["browser: a service", "#/services/service-0"],
    ] as const) {
      const { mainThread, allProcesses, heap, nodes } = await browserCost(browser, url + path, minutes);
      rows.push([name, "", "", mainThread, allProcesses, heap[1] / 1e6, nodes[1] - nodes[0]]);
      bounds.push(atMost(`${name}: % of a core, all processes`, allProcesses, 5));
      bounds.push(atMost(`${name}: heap at the end × at the beginning`, heap[1] / heap[0], 1.05));
    }
  }
  return {
    bench: "admin",
    about: `what the live page takes of the process that serves it (${services} services × 10 instances, ${rps} calls a second) and of a browser (${minutes} min each)`,
    node: measuredVersion(),
    rounds,
    columns: ["", "% of a core", "added", "main thread %", "all of the browser %", "heap MB", "DOM nodes more"],
    rows,
    bounds,
    ratios: {},
  };
}

/** Reads the same as an open page, so that the server pays for it without a browser. */
async function readAsThePage(url: string, isAtService: boolean, signal: AbortSignal): Promise<void> {
  const response = await fetch(`${url}api/events`, { signal });
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    if (!isAtService || !Buffer.from(chunk).includes("event: mesh")) continue;
    const since = Math.floor(Date.now() / 1_000) - 2;
    await (await fetch(`${url}api/services/service-0?offset=0&limit=50&since=${since}`, { signal })).arrayBuffer();
  }
}
