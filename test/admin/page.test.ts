import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { describe, expect, it, onTestFinished } from "vitest";
import { cleanText } from "../../src/core/text/clean-text.ts";
import { createMesh, type Endpoint, type Mesh, roundRobin, staticDiscovery } from "../../src/index.ts";
import { memoryRegistry } from "../../src/testing/index.ts";
import { available } from "../servers/available.ts";
import { closing, meshOf } from "../support/mesh.ts";
import { closedPort, serve } from "../support/servers.ts";
import { until } from "../support/until.ts";
import { accessibilityProblems, brokenWords, chromiumOfTests, openPage, overflow } from "./page-under-test.ts";
import { type Scene, startScene } from "./scene.ts";
import { shop } from "./shop.ts";
import { adminOf, token } from "./support.ts";

/** Calls a service again and again until the test ends. */
function keepCalling(mesh: Mesh, target: string, everyMs = 20): void {
  const timer = setInterval(() => {
    mesh
      .fetch(target)
      .then((response) => response.text())
      .catch(() => {});
  }, everyMs);
  onTestFinished(() => clearInterval(timer));
}

/** An instance in a process of its own, which can be killed. */
async function startInstance(): Promise<{ readonly port: number; kill(): Promise<void> }> {
  const program = `require("node:http").createServer((_, response) => response.end("x")).listen(0, "127.0.0.1", function () { console.log(this.address().port) })`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  onTestFinished(kill);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { port: Number(line.toString()), kill };
}

async function startProcess(adminPort: number, instancePort: number) {
  const child = fork(join(import.meta.dirname, "restarting.ts"), [String(adminPort), String(instancePort)]);
  const ended = once(child, "exit");
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  onTestFinished(kill);
  await Promise.race([once(child, "message"), ended.then(() => Promise.reject(new Error("it ended by itself")))]);
  return { pid: child.pid as number, kill };
}

/** A scene that ends with the test, after its pages. */
async function sceneOf(...given: Parameters<typeof startScene>): Promise<Scene> {
  const scene = await startScene(...given);
  onTestFinished(() => scene[Symbol.asyncDispose]());
  return scene;
}

/** The first place where `text` is to be seen: what is for other widths is in the page, too. */
function seen(page: Page, text: string | RegExp, options?: { exact?: boolean }): Locator {
  return page.getByText(text, options).filter({ visible: true }).first();
}

describe.skipIf(!available("chromium"))("the live page in a real Chromium", { timeout: 90_000 }, () => {
  const chromium = chromiumOfTests();

  it("shows under load what the mesh does, and more of it each second", async () => {
    const scene = await sceneOf(shop, { zone: "a" });
    const { url } = await adminOf(scene.mesh);
    const page = await openPage(chromium(), url);
    const row = (name: string) => page.getByRole("row").filter({ has: page.getByRole("link", { name, exact: true }) });
    await row("payments").waitFor();
    expect(await page.getByRole("row").count()).toBe(1 + Object.keys(shop).length);
    await expect.poll(() => row("payments").textContent(), { timeout: 10_000 }).toMatch(/OK.*2 of 2/);
    await row("recommendations").getByText("open", { exact: true }).waitFor();
    await expect.poll(() => row("recommendations").textContent(), { timeout: 20_000 }).toMatch(/Failing.*0 of 2, 2 (ejected|probing)/);
    await row("orders").getByText("2 of 3, 1 ejected").filter({ visible: true }).waitFor();
    const cell = async (name: string, column: number) =>
      Number((await row(name).getByRole("cell").nth(column).textContent())?.replace(/[^\d.]/g, ""));
    await expect.poll(() => cell("users", 2), { timeout: 30_000 }).toBeGreaterThan(25);
    await expect.poll(() => cell("users", 2), { timeout: 30_000 }).toBeLessThan(55);
    await expect.poll(() => cell("payments", 4), { timeout: 30_000 }).toBeGreaterThan(15);
    // The worst first, and in one line what is well and what is not.
    await expect.poll(() => page.locator("tbody th a").first().textContent()).toBe("recommendations");
    const strip = page.getByLabel("State", { exact: true });
    await expect.poll(() => strip.textContent(), { timeout: 20_000 }).toMatch(/^1 failing · [12] degraded · [34] OK · registry OK$/);
    // The graph: a lock where TLS is spoken, the mark of a breaker that is open.
    const graph = page.getByRole("group", { name: "Traffic graph" });
    expect(await graph.getByRole("link").count()).toBe(Object.keys(shop).length);
    expect(await graph.locator(".lock title").allTextContents()).toEqual(["over TLS", "over TLS", "over TLS"]);
    // Polled: the breaker is half-open for a moment whenever it lets a probe through.
    const open = graph.getByRole("link", { name: /^recommendations.* breaker open/ }).locator(".breaker");
    await expect.poll(() => open.count(), { timeout: 20_000 }).toBe(1);
    await expect.poll(() => graph.locator("path.failing").count(), { timeout: 20_000 }).toBeGreaterThan(0);
    const width = async (name: string) =>
      Number(await graph.locator(".edges > g").nth(edgeOf(name)).locator("path").first().getAttribute("stroke-width"));
    await expect.poll(async () => (await width("users")) - (await width("recommendations")), { timeout: 20_000 }).toBeGreaterThan(0);
  });

  it("shows of a service its figures, charts, endpoints and errors with their attempts", async () => {
    const server = await serve((_request, response) => void response.writeHead(500).end());
    const mesh = meshOf({ orders: [server.port, await closedPort()] }, { retry: { maxAttempts: 2 }, picker: roundRobin() });
    keepCalling(mesh, "orders/1?token=canary");
    const { url } = await adminOf(mesh, { dashboardUrl: "http://127.0.0.1:3000/?var-service={service}" });
    const page = await openPage(chromium(), `${url}#/services/orders`);
    expect(await page.title()).toBe("orders · inmesh");
    await page.getByRole("heading", { name: "orders" }).waitFor();
    await expect.poll(() => page.locator("dl").textContent(), { timeout: 20_000 }).toMatch(/Success0 %.*Breakerclosed/);
    expect(await page.getByRole("link", { name: "Dashboard" }).getAttribute("href")).toBe("http://127.0.0.1:3000/?var-service=orders");
    const charts = page.getByRole("img", { name: /Calls and attempts per second: calls \d+/ });
    await charts.waitFor();
    expect(await page.locator("canvas").count()).toBe(4);
    expect(
      await page
        .locator("canvas")
        .first()
        .evaluate(
          (canvas) =>
            new Set(
              (
                canvas as unknown as {
                  getContext(kind: string): { getImageData(x: number, y: number, w: number, h: number): { data: Uint8Array } };
                }
              )
                .getContext("2d")
                .getImageData(0, 0, 300, 150).data,
            ).size,
        ),
    ).toBeGreaterThan(5);
    const rows = page.getByRole("region", { name: "Endpoints" }).getByRole("row");
    await expect.poll(() => rows.nth(1).textContent()).toMatch(/ejected.*out for .* s: connection refused, a probe in/);
    await expect.poll(() => rows.nth(2).textContent()).toMatch(/available.*in rotation/);
    const error = page.locator("details").first();
    await error.locator("summary").click();
    expect(await error.textContent()).toMatch(/500.*GET \/1\?….*answered 500.*An instance may have executed it/);
    expect(await error.getByRole("row").count()).toBeGreaterThan(1);
    // It stays open when others come.
    await expect.poll(() => page.locator("details").count()).toBe(50);
    expect(await page.content()).not.toContain("canary");
  });

  it("begins with the state of the registry, which a failing one changes", async () => {
    const server = await serve();
    const registry = memoryRegistry();
    registry.set("orders", [{ host: "127.0.0.1", port: server.port }]);
    const mesh = closing(createMesh({ discovery: registry, drainTimeoutMs: 0 }));
    await (await mesh.fetch("orders/1")).text();
    const { url } = await adminOf(mesh);
    const page = await openPage(chromium(), url);
    const strip = page.locator("main .strip");
    await expect.poll(() => strip.locator(".strip-line").textContent(), { timeout: 20_000 }).toContain("registry OK");
    registry.fail(new Error("no leader <b>"));
    await expect
      .poll(() => strip.locator(".note").textContent(), { timeout: 20_000 })
      .toMatch(/^Registry failing for \d+ s, the last endpoints stay in use: memory registry: no leader <b>$/);
    await expect.poll(() => strip.locator("span.failing").textContent()).toBe("registry failing");
  });

  it("shows within two seconds that an instance was killed", async () => {
    const [one, other] = [await startInstance(), await startInstance()];
    const mesh = meshOf({ orders: [one.port, other.port] }, { picker: roundRobin() });
    keepCalling(mesh, "orders/1");
    const { url } = await adminOf(mesh);
    const overview = await openPage(chromium(), url);
    const service = await openPage(chromium(), `${url}#/services/orders`);
    await seen(overview, "2 of 2", { exact: true }).waitFor();
    await seen(service, "available", { exact: true }).waitFor();
    await one.kill();
    await Promise.all([
      seen(overview, "1 of 2, 1 ejected").waitFor({ timeout: 2_000 }),
      seen(service, "connection refused").waitFor({ timeout: 2_000 }),
    ]);
  });

  it.each(["light", "dark"] as const)("has nothing that axe-core objects to, in %s colours", async (theme) => {
    const scene = await sceneOf(shop, { zone: "a" });
    const { url } = await adminOf(scene.mesh, { token, dashboardUrl: "http://127.0.0.1:3000/{service}" });
    const page = await openPage(chromium(), url, { theme });
    await seen(page, "2 of 3, 1 ejected").waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.goto(`${url}#/services/orders`);
    await page
      .getByRole("button", { name: /^Take out/ })
      .first()
      .waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.goto(`${url}#/services/inventory`);
    await page.locator("summary").first().click();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page
      .getByRole("button", { name: /^Take out/ })
      .first()
      .click();
    await page.getByRole("dialog").waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    const background = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
    const before = await background();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: /colours$/ }).click();
    expect(await background()).not.toBe(before);
    await page.reload();
    await page.getByText("live").waitFor();
    expect(await background()).not.toBe(before);
  });

  it.each([320, 390, 768])("fits into %i pixels", async (width) => {
    const scene = await sceneOf(shop, { zone: "a" });
    const { url } = await adminOf(scene.mesh, { token });
    const page = await openPage(chromium(), url, { width, height: 844 });
    await seen(page, "2 of 3, 1 ejected").waitFor();
    expect(await overflow(page)).toBe(0);
    await page.goto(`${url}#/services/inventory`);
    await page.locator("summary").first().click();
    expect(await overflow(page)).toBe(0);
  });

  it.each([320, 390])("breaks no word at %i pixels", async (width) => {
    const server = await serve();
    const names = ["recommendations", "authentication", "checkout-payment-gateway-adapter"];
    const mesh = meshOf(Object.fromEntries(names.map((name) => [name, server.port])));
    for (const name of names) await (await mesh.fetch(`${name}/1`)).text();
    const { url } = await adminOf(mesh, { token });
    const page = await openPage(chromium(), url, { width, height: 844 });
    await page.getByRole("row").getByRole("link", { name: "authentication", exact: true }).waitFor();
    expect(await brokenWords(page)).toEqual([]);
    await page.goto(`${url}#/services/recommendations`);
    await page.getByRole("button", { name: /^Take out/ }).waitFor();
    expect(await brokenWords(page)).toEqual([]);
  });

  it("sorts by each column, both ways, and keeps its order while nothing but the traffic changes", async () => {
    const server = await serve();
    const names = Array.from({ length: 30 }, (_, index) => `service-${String(index).padStart(2, "0")}`);
    const list = Object.fromEntries(names.map((name) => [name, server.port]));
    const mesh = meshOf({ ...list, "service-29": await closedPort() }, { retry: false });
    for (const name of names) keepCalling(mesh, `${name}/1`, 100);
    const { url } = await adminOf(mesh);
    const page = await openPage(chromium(), url);
    const shown = () => page.locator("tbody th a").allTextContents();
    const drawn = () => page.getByRole("group", { name: "Traffic graph" }).getByRole("link").allTextContents();
    const strip = page.getByLabel("State", { exact: true });
    await expect.poll(() => strip.textContent(), { timeout: 20_000 }).toBe("1 failing · 29 OK · registry OK");
    await expect.poll(() => drawn(), { timeout: 10_000 }).toContainEqual(expect.stringContaining("service-29"));
    const nameOf = (texts: readonly string[]) => texts.map((text) => /service-\d\d/.exec(text)?.[0]);
    const [order, picture] = [await shown(), nameOf(await drawn())];
    for (let second = 0; second < 4; second++) {
      await page.waitForTimeout(1_000);
      expect(await shown()).toEqual(order);
      expect(nameOf(await drawn())).toEqual(picture);
    }
    const head = page.getByRole("columnheader", { name: /^Service/ });
    expect(await head.getAttribute("aria-sort")).toBe("ascending");
    await page.getByRole("button", { name: "Service", exact: true }).click();
    expect(await shown()).toEqual(names);
    await page.getByRole("button", { name: "Service", exact: true }).click();
    expect(await shown()).toEqual([...names].reverse());
    expect(await head.getAttribute("aria-sort")).toBe("descending");
    await page.getByRole("button", { name: "Success" }).click();
    expect((await shown())[0]).toBe("service-29");
    expect(await head.getAttribute("aria-sort")).toBeNull();
  });

  it("says that the registry fails, and shows the cause of errors before the calls that an open breaker refused", async () => {
    const server = await serve((_request, response) => void response.writeHead(503).end());
    const mesh = closing(
      createMesh({
        discovery: {
          name: "registry",
          async *watch() {
            yield [{ id: "one", host: "127.0.0.1", port: server.port }] satisfies Endpoint[];
            throw new Error("the registry is down");
          },
        },
        retry: false,
        drainTimeoutMs: 0,
      }),
    );
    const { url } = await adminOf(mesh);
    for (let call = 0; call < 20; call++) await mesh.fetch("orders/cause").then((response) => response.text());
    for (let call = 0; call < 100; call++) await mesh.fetch("orders/refused").catch(() => {});
    const page = await openPage(chromium(), url);
    await expect.poll(() => page.getByLabel("State", { exact: true }).textContent()).toContain("1 failing · registry failing");
    await expect.poll(() => page.locator(".strip .note").textContent()).toMatch(/^Registry failing for \d+ s, .*: the registry is down$/);
    await page.goto(`${url}#/services/orders`);
    const summaries = page.locator("summary").filter({ visible: true });
    await expect.poll(() => summaries.count()).toBe(20);
    expect((await summaries.allTextContents()).every((text) => text.includes("GET /cause"))).toBe(true);
    const refused = page.getByRole("button", { name: /^30 calls refused without an attempt \(ERR_MESH_CIRCUIT_OPEN\), the last at / });
    await refused.click();
    await expect.poll(() => summaries.count()).toBe(50);
    await refused.click();
    await expect.poll(() => summaries.count()).toBe(20);
  });

  it("can be used with the keyboard alone", async () => {
    const scene = await sceneOf(shop);
    const { url } = await adminOf(scene.mesh, { token });
    const page = await openPage(chromium(), url);
    await page.getByRole("link", { name: "users", exact: true }).waitFor();
    const focused = () => page.evaluate("document.activeElement.textContent || document.activeElement.id");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    const tabTo = async (name: string | RegExp) => {
      for (let presses = 0; presses < 60; presses++) {
        await page.keyboard.press("Tab");
        const text = String(await page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"));
        if (typeof name === "string" ? text === name : name.test(text)) return;
      }
      throw new Error(`the Tab key never reached ${String(name)}`);
    };
    await tabTo(/^orders./);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "orders" }).waitFor();
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    await tabTo(/^Take out/);
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.goto(url);
    await page.getByRole("link", { name: "users", exact: true }).waitFor();
    await tabTo("Calls/s");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator("tbody tr").first().textContent()).toContain("users");
  });

  it("shows hostile names and errors as the text that they are", async () => {
    const hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>"\'\u202e';
    const server = await serve();
    const mesh = closing(
      createMesh({
        discovery: {
          name: `list ${hostile}`,
          async *watch() {
            yield [
              { id: `one ${hostile}`, host: "127.0.0.1", port: server.port, zone: hostile },
              { id: `two ${hostile}`, host: "127.0.0.1", port: await closedPort() },
            ] satisfies Endpoint[];
            throw new Error(`refused ${hostile}`);
          },
        },
        interceptors: [
          (next) => async (request) => {
            const response = await next(request);
            if (request.path.includes("bad")) throw Object.assign(new Error(hostile), { name: hostile });
            return response;
          },
        ],
        drainTimeoutMs: 0,
      }),
    );
    const { url } = await adminOf(mesh);
    for (const path of ["1", "2", "3", `bad/${encodeURIComponent(hostile)}`]) await mesh.fetch(`orders/${path}`).catch(() => {});
    const page = await openPage(chromium(), url, { expected: /404 \(Not Found\)/ });
    await page.getByRole("link", { name: "orders", exact: true }).waitFor();
    await page.goto(`${url}#/services/orders`);
    await seen(page, `one ${hostile}`).waitFor();
    // Messages are cleaned where they are made.
    await seen(page, `refused ${cleanText(hostile)}`).waitFor();
    await page.locator("summary").first().click();
    expect(await page.locator("summary").first().textContent()).toContain("<img src=x");
    await page.goto(`${url}#/services/${encodeURIComponent(hostile)}`);
    await page.getByRole("heading", { name: "<img" }).waitFor();
    expect(await page.title()).toContain("<img src=x");
    expect(await page.locator("main img, main script").count()).toBe(0);
    await page.goto(`${url}#/services/%`);
    await page.getByRole("heading", { name: "Services" }).waitFor();
  });

  it("says that the process is gone, and goes on with the next one", async () => {
    const server = await serve();
    const port = await closedPort();
    const first = await startProcess(port, server.port);
    const lost = { expected: /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|404/ };
    const url = `http://127.0.0.1:${port}/`;
    const overview = await openPage(chromium(), url, lost);
    const service = await openPage(chromium(), `${url}#/services/orders`, lost);
    await seen(overview, `pid ${first.pid}`).waitFor();
    await seen(service, "available", { exact: true }).waitFor();
    await first.kill();
    for (const page of [overview, service]) await page.getByText("What is shown is old; trying again each second.").waitFor();
    const second = await startProcess(port, server.port);
    for (const page of [overview, service]) {
      await page.getByText(`The process was restarted: it is pid ${second.pid} now`).waitFor();
      await page.getByText("live", { exact: true }).waitFor();
    }
    await overview.getByRole("link", { name: "orders", exact: true }).waitFor();
    await expect.poll(async () => Number(await service.locator("dl dd").nth(2).textContent()), { timeout: 15_000 }).toBeGreaterThan(10);
  });

  it("notices a process that hangs without closing its connections", async () => {
    const server = await serve();
    const port = await closedPort();
    const { pid } = await startProcess(port, server.port);
    const page = await openPage(chromium(), `http://127.0.0.1:${port}/`);
    await page.getByText("live", { exact: true }).waitFor();
    process.kill(pid, "SIGSTOP");
    await page.getByText("The process does not answer.").waitFor();
    process.kill(pid, "SIGCONT");
    await page.getByText("live", { exact: true }).waitFor();
  });

  it("takes instances out and puts them back, with the token and not without", async () => {
    const [one, other] = [await serve(), await serve()];
    const mesh = meshOf({ orders: [one.port, other.port] });
    keepCalling(mesh, "orders/1");
    const { url } = await adminOf(mesh, { token });
    const page = await openPage(chromium(), `${url}#/services/orders`, { expected: /401 \(Unauthorized\)/ });
    const id = `127.0.0.1:${one.port}`;
    await page.getByRole("button", { name: `Take out ${id}` }).click();
    await page.getByLabel("For").selectOption("5 minutes");
    await page.getByRole("button", { name: "Take it out" }).click();
    await page.getByRole("textbox").fill("not the right token");
    await page.getByRole("button", { name: "Use it" }).click();
    await page.getByText("That was not it.").waitFor();
    expect(mesh.explain("orders")?.endpoints[0]?.ejection).toBeUndefined();
    await page.getByRole("textbox").fill(token);
    await page.getByRole("button", { name: "Use it" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByText(/operator, back in/).waitFor();
    expect(mesh.explain("orders")?.endpoints[0]?.ejection).toMatchObject({ rule: "operator" });
    await page.getByRole("button", { name: `Put back ${id}` }).click();
    await until("it is back", () => mesh.explain("orders")?.endpoints[0]?.ejection === undefined);
    const kept = await page.evaluate(
      "document.documentElement.outerHTML + JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + document.cookie + location.href",
    );
    expect(kept).not.toContain(token);
  });

  it("asks for the token first where others reach it", async () => {
    const server = await serve();
    const mesh = meshOf({ orders: server.port });
    await (await mesh.fetch("orders/1")).text();
    const { url } = await adminOf(mesh, { host: "0.0.0.0", allowRemote: true, token });
    const page = await openPage(chromium(), url.replace("0.0.0.0", "127.0.0.1"), { expected: /401 \(Unauthorized\)/ });
    await page.getByRole("dialog").waitFor();
    expect(await page.content()).not.toContain("orders");
    await page.getByRole("textbox").fill(token);
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "orders", exact: true }).waitFor();
  });

  it("is usable with twenty services of a thousand endpoints", async () => {
    const { port } = await serve();
    const endpoints = (service: number) =>
      Array.from({ length: 1_000 }, (_, index) => ({ id: `s${service}-i${index}`, host: "127.0.0.1", port, zone: `z${index % 3}` }));
    const names = Array.from({ length: 20 }, (_, index) => `service-${index}`);
    const mesh = closing(
      createMesh({
        discovery: staticDiscovery(Object.fromEntries(names.map((name, index) => [name, endpoints(index)]))),
        drainTimeoutMs: 0,
      }),
    );
    for (const name of names) await (await mesh.fetch(`${name}/1`)).text();
    mesh.eject("service-7", "s7-i500", { forMs: 600_000 });
    const { url } = await adminOf(mesh);
    const page = await openPage(chromium(), url);
    await seen(page, "999 of 1000, 1 ejected").waitFor();
    expect(await page.locator("tbody tr").count()).toBe(20);
    await page.getByText("8 further services not drawn: those in trouble go first, then the busiest. The table has all.").waitFor();
    await page.getByRole("row").getByRole("link", { name: "service-7", exact: true }).click();
    const rows = page.getByRole("region", { name: "Endpoints" }).locator("tbody tr");
    await expect.poll(() => rows.first().textContent()).toMatch(/ejected.*s7-i500/);
    expect(await rows.count()).toBe(50);
    await page.getByText("1–50 of 1,000 endpoints").waitFor();
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByText("51–100 of 1,000 endpoints").waitFor();
    await page.getByLabel("Filter endpoints by id, address, zone or reason").fill("i77");
    await page.getByText("1–11 of 11 endpoints").waitFor();
    await page.getByLabel("Endpoints in which state").selectOption("ejected");
    await page.getByText("No endpoint").waitFor();
    await page.getByLabel("Filter endpoints by id, address, zone or reason").fill("");
    await page.getByText("1–1 of 1 endpoint").waitFor();
  });
});

/** Which of the lines leads to a service: they are drawn in the order of the names, each followed by those to its instances. */
function edgeOf(name: string): number {
  let at = 0;
  for (const service of Object.keys(shop).sort()) {
    if (service === name) return at;
    const instances = shop[service]?.parts.length ?? 0;
    at += 1 + (instances <= 8 ? instances : 0);
  }
  throw new Error(`the shop has no ${name}`);
}
