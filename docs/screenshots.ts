// node docs/screenshots.ts: draws docs/images/admin-*.png in a real Chromium (npm run servers -- chromium). Takes a minute.
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { admin } from "../src/admin/admin.ts";
import { startScene } from "../test/admin/scene.ts";
import { shop } from "../test/admin/shop.ts";
import { launchChromium } from "../test/servers/chromium.ts";

const directory = process.argv[2] ?? join(import.meta.dirname, "images");
const seconds = Number(process.argv[3] ?? 60);
mkdirSync(directory, { recursive: true });

await using scene = await startScene(shop, { zone: "a" });
await using page = await admin(scene.mesh, {
  port: 0,
  token: "only-for-a-picture",
  dashboardUrl: "http://127.0.0.1:3000/d/service?var-service={service}",
});
const browser = await launchChromium();
try {
  const shots = [
    { name: "overview-light", path: "#/", width: 1_080, height: 900, theme: "light" },
    { name: "overview-dark", path: "#/", width: 1_080, height: 900, theme: "dark" },
    { name: "service-light", path: "#/services/orders", width: 1_080, height: 1_380, theme: "light" },
    { name: "service-dark", path: "#/services/orders", width: 1_080, height: 1_380, theme: "dark" },
    { name: "phone-light", path: "#/", width: 390, height: 844, theme: "light" },
    { name: "phone-dark", path: "#/services/orders", width: 390, height: 844, theme: "dark" },
  ] as const;
  await pause(seconds * 1_000);
  for (const { name, path, width, height, theme } of shots) {
    const view = await browser.newPage({ viewport: { width, height }, colorScheme: theme, deviceScaleFactor: width < 500 ? 1.5 : 1 });
    await view.goto(`${page.url}${path}`);
    await view.locator("table tbody tr").first().waitFor();
    const error = view.locator("details").first();
    if (path !== "#/" && (await error.count()) > 0) await error.locator("summary").click();
    await pause(1_500);
    const file = join(directory, `admin-${name}.png`);
    await view.screenshot({ path: file, fullPage: path === "#/" && width >= 500 });
    await view.close();
    console.log(`${file}: ${Math.ceil(statSync(file).size / 1_000)} KB`);
  }
} finally {
  await browser.close();
}
