import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { requireDist } from "../dist.ts";
import { launchChromium } from "../servers/chromium.ts";

/** A real Chromium for the tests of a block, started before the first of them and ended after the last one. */
export function chromiumOfTests(): () => Browser {
  let browser: Browser | undefined;
  beforeAll(async () => {
    requireDist();
    browser = await launchChromium();
  }, 60_000);
  afterAll(() => browser?.close());
  return () => browser as Browser;
}

/** How a page is opened. */
export interface OpenOptions {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: "light" | "dark";
  /** Console errors of this kind are what the test is about. */
  readonly expected?: RegExp;
}

/**
 * Opens `url`. When the test ends, the page must have asked nobody but its own origin for anything and must have had no error, in a script
 * or on the console.
 */
export async function openPage(browser: Browser, url: string, options: OpenOptions = {}): Promise<Page> {
  const { width = 1_200, height = 900, theme = "light", expected } = options;
  const page = await browser.newPage({ viewport: { width, height }, colorScheme: theme });
  page.setDefaultTimeout(15_000);
  const problems: string[] = [];
  const foreign: string[] = [];
  const { origin } = new URL(url);
  page.on("console", (message) => {
    const { url: where } = message.location();
    const text = `${message.type()}: ${message.text()} ${where}`;
    if ((message.type() === "error" || message.type() === "warning") && !expected?.test(text)) problems.push(text);
  });
  page.on("pageerror", (error) => problems.push(String(error.stack ?? error)));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== origin) foreign.push(request.url());
  });
  onTestFinished(async () => {
    await page.close();
    expect({ problems, foreign }).toEqual({ problems: [], foreign: [] });
  });
  await page.goto(url);
  return page;
}

/** The violations that axe-core finds on the page, one line each. */
export async function accessibilityProblems(page: Page): Promise<readonly string[]> {
  // Not as a script element: the page's policy lets none run but its own.
  await page.evaluate(axe.source);
  const violations = await page.evaluate(`axe.run(document).then(({ violations }) => violations.map(({ id, nodes }) =>
    id + ": " + nodes.map(({ html, failureSummary }) => html + " " + failureSummary).slice(0, 3).join(" | ")))`);
  return violations as readonly string[];
}

/** How many pixels the page is wider than its window. */
export async function overflow(page: Page): Promise<number> {
  return (await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")) as number;
}

/** The words of the page's headings, names and cells that go on in a second line, where they are to be seen. */
export async function brokenWords(page: Page): Promise<readonly string[]> {
  return (await page.evaluate(`(() => {
    const broken = [];
    const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      if (node.parentElement.closest("svg, .hidden, script") !== null) continue;
      for (const { index, 0: word } of node.data.matchAll(/[\\p{L}\\d]{4,}/gu)) {
        const range = document.createRange();
        range.setStart(node, index);
        range.setEnd(node, index + word.length);
        const tops = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
        if (tops.size > 1) broken.push(word);
      }
    }
    return broken;
  })()`)) as readonly string[];
}
