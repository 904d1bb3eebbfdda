// node docs/screenshots.ts: draws docs/images/admin-*.webp in a real Chromium (npm run servers -- chromium). Takes a minute.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Page } from "playwright-core";
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
    { name: "service-light", path: "#/services/orders", width: 1_080, height: 1_380, theme: "light" },
    { name: "service-dark", path: "#/services/orders", width: 1_080, height: 1_380, theme: "dark" },
    { name: "phone-light", path: "#/", width: 390, height: 844, theme: "light" },
  ] as const;
  await pause(seconds * 1_000);
  for (const { name, path, width, height, theme } of shots) {
    const view = await browser.newPage({ viewport: { width, height }, colorScheme: theme, deviceScaleFactor: width < 500 ? 1.25 : 1 });
    await view.goto(`${page.url}${path}`);
    await view.locator("table tbody tr").first().waitFor();
    const error = view.locator("details").first();
    if (path !== "#/" && (await error.count()) > 0) await error.locator("summary").click();
    await pause(1_500);
    const file = join(directory, `admin-${name}.webp`);
    const png = await view.screenshot({ fullPage: path === "#/" && width >= 500 });
    const webp = await smaller(view, png);
    await view.close();
    writeFileSync(file, webp);
    console.log(`${file}: ${Math.ceil(webp.byteLength / 1_000)} KB`);
  }
} finally {
  await browser.close();
}

/** A picture as WebP, a quarter of the size: the package ships them. */
async function smaller(view: Page, png: Buffer): Promise<Buffer> {
  await view.goto("about:blank");
  const url = (await view.evaluate(`(async () => {
    const picture = await createImageBitmap(await (await fetch("data:image/png;base64,${png.toString("base64")}")).blob());
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [picture.width, picture.height];
    canvas.getContext("2d").drawImage(picture, 0, 0);
    return canvas.toDataURL("image/webp", 0.45);
  })()`)) as string;
  return Buffer.from(url.slice(url.indexOf(",") + 1), "base64");
}
