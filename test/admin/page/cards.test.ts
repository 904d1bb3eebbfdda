import { describe, expect, it } from "vitest";
import { available } from "../../servers/available.ts";
import { meshOf } from "../../support/mesh.ts";
import { serve } from "../../support/servers.ts";
import { accessibilityProblems, brokenWords, chromiumOfTests, openPage, overflow } from "../page-under-test.ts";
import { meshWithCanaries } from "../routes/canary-mesh.ts";
import { adminOf } from "../support.ts";

/** A page with a canary that was rolled back, another one that steps, and a configuration that was refused. */
async function troubledPage() {
  const mesh = await meshWithCanaries();
  expect(() => mesh.reconfigure({ timeoutMs: -1 })).toThrow("timeoutMs");
  return { mesh, url: (await adminOf(mesh)).url };
}

describe.skipIf(!available("chromium"))("the cards of the live page in a real Chromium", { timeout: 90_000 }, () => {
  const chromium = chromiumOfTests();

  it("show canaries with their steps and counts, the worst first, and those of a service in its view", async () => {
    const { mesh, url } = await troubledPage();
    const page = await openPage(chromium(), url);
    const items = page.getByRole("region", { name: "Canaries" }).locator("li.canary");
    await expect.poll(() => items.count()).toBe(2);
    const [back, steps] = [items.nth(0), items.nth(1)];
    expect(await back.textContent()).toMatch(
      /^checkoutrolled-back50 %100 %Share0 %Canary v2(\d+) of \1 failed \(100\u00a0%\)Stable v10 of \d+ failed/,
    );
    expect(await back.locator(".badge.failing").count()).toBe(1);
    expect(await back.locator(".message").textContent()).toBe(mesh.canaries()[0]?.why);
    expect(await steps.textContent()).toMatch(/^pricesstepping.*Share50 %Canary v2no call yet.*Decided bythis process alone/);
    expect(await steps.locator("[aria-current=step]").textContent()).toBe("50 %");
    expect(await page.getByLabel("State", { exact: true }).textContent()).toContain(
      "canary of checkout rolled back · configuration refused",
    );
    await (await mesh.fetch("shop/prices")).text();
    await expect.poll(() => steps.textContent(), { timeout: 20_000 }).toMatch(/ of 1 failed/);
    await page.goto(`${url}#/services/next`);
    await expect.poll(() => items.locator("h3").allTextContents()).toEqual(["checkout"]);
  });

  it("show the rules in the order in which they are asked, with the split of this moment and their calls", async () => {
    const { mesh, url } = await troubledPage();
    const page = await openPage(chromium(), url);
    const rows = page.getByRole("region", { name: "Routes" }).locator("tbody tr");
    await expect.poll(() => rows.locator("th").allTextContents()).toEqual(["checkout", "prices"]);
    expect(await rows.nth(0).locator("li").allTextContents()).toEqual([
      expect.stringMatching(/^100 % v1: stable \d+\/min$/),
      expect.stringMatching(/^0 % v2: next \d+\/min$/),
    ]);
    mesh.canary("checkout")?.resume();
    await expect.poll(() => rows.nth(0).locator("li").first().textContent(), { timeout: 20_000 }).toMatch(/^50 % v1/);
    await page.getByLabel("Filter routes by name or service").fill("pric");
    await expect.poll(() => rows.locator("th").allTextContents()).toEqual(["prices"]);
  });

  it("draw fifty rules, and say that there are others, which the filter finds", async () => {
    const { port } = await serve();
    const routes = Array.from({ length: 60 }, (_, index) => ({
      name: `rule-${index}`,
      match: { path: { exact: `/${index}` } },
      to: "svc",
    }));
    const { url } = await adminOf(meshOf({ svc: port }, { routes }));
    const page = await openPage(chromium(), url);
    const card = page.getByRole("region", { name: "Routes" });
    await expect.poll(() => card.locator("tbody tr").count()).toBe(50);
    expect(await card.locator(".note").textContent()).toBe("10 further rules not shown: filter for them.");
    await page.getByLabel("Filter routes by name or service").fill("rule-59");
    await expect.poll(() => card.locator("tbody th").allTextContents()).toEqual(["rule-59"]);
    expect(await page.getByRole("region", { name: "Canaries" }).count()).toBe(0);
  });

  it("show the configuration in force, and the reason why a newer one was refused until a good one comes", async () => {
    const { mesh, url } = await troubledPage();
    const page = await openPage(chromium(), url);
    const card = page.getByRole("region", { name: "Configuration" });
    await expect.poll(() => card.locator("dl").textContent()).toMatch(/^FromcreateMeshIn force for\d+ s, since \d\d:/);
    const refused = card.locator("p");
    expect(await refused.textContent()).toMatch(/^A newer one from mesh\.reconfigure was refused at \d\d:\d\d:\d\d: .*timeoutMs/);
    mesh.reconfigure({ timeoutMs: 5_000 });
    await expect.poll(() => card.locator("dd").first().textContent(), { timeout: 20_000 }).toBe("mesh.reconfigure");
    expect(await refused.isVisible()).toBe(false);
  });

  it.each(["light", "dark"] as const)("have nothing that axe-core objects to, in %s colours", async (theme) => {
    const { url } = await troubledPage();
    const page = await openPage(chromium(), url, { theme });
    await page.getByRole("region", { name: "Canaries" }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.goto(`${url}#/services/next`);
    await page.getByRole("region", { name: "Canaries" }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  it.each([320, 390, 768])("fit into %i pixels, and break no word", async (width) => {
    const { url } = await troubledPage();
    const page = await openPage(chromium(), url, { width, height: 844 });
    await page.getByRole("region", { name: "Canaries" }).waitFor();
    expect(await overflow(page)).toBe(0);
    expect(await brokenWords(page)).toEqual([]);
  });
});
