import { rmSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { requireServer } from "./available.ts";
import { chromiumEnvironment, chromiumProgram } from "./chromium-files.ts";
import { endWithUs } from "./end-with-us.ts";

/** How a Chromium is started. */
export interface ChromiumOptions {
  /** Further flags of the program. */
  readonly args?: readonly string[];
}

const template = join(import.meta.dirname, "chromium", "fonts.conf.template");

const flags = [
  // Whatever a page or the browser itself asks for, it reaches nobody but this machine.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
  "--no-proxy-server",
] as const;

const homeWithFonts = async (root: string): Promise<string> => {
  const home = await mkdtemp(join(tmpdir(), "inmesh-chromium-"));
  const text = (await readFile(template, "utf8"))
    .replace("@FONTS@", join(root, "usr", "share", "fonts"))
    .replace("@CACHE@", join(home, "fonts"));
  await writeFile(join(home, "fonts.conf"), text);
  return home;
};

/**
 * Starts Chromium without windows: it reaches only 127.0.0.1 and localhost, has the fonts that came with it and no others, and keeps
 * everything in a temporary directory, which goes when it is closed. It ends with this process, however that ends.
 */
export const launchChromium = async (options: ChromiumOptions = {}): Promise<Browser> => {
  const { args = [] } = options;
  const root = requireServer("chromium");
  const libraries = await chromiumEnvironment(root);
  const home = await homeWithFonts(root);
  const forget = endWithUs(() => rmSync(home, { recursive: true, force: true, maxRetries: 3 }));
  const removeHome = async (): Promise<void> => {
    await rm(home, { recursive: true, force: true, maxRetries: 3 });
    forget();
  };
  try {
    const browser = await chromium.launch({
      executablePath: chromiumProgram(root),
      args: [...flags, ...args],
      env: {
        ...process.env,
        ...libraries,
        HOME: home,
        XDG_CONFIG_HOME: join(home, "config"),
        XDG_CACHE_HOME: join(home, "cache"),
        FONTCONFIG_FILE: join(home, "fonts.conf"),
      },
      // The sandbox needs a user other than root and user namespaces; the pages are our own.
      chromiumSandbox: false,
      // On SIGTERM Playwright would close the browser and let this process live on. The browser ends with the pipe to us.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
    const close = browser.close.bind(browser);
    return Object.assign(browser, {
      async close(reason?: { readonly reason?: string }) {
        await close(reason);
        await removeHome();
      },
    });
  } catch (error) {
    await removeHome();
    throw error;
  }
};
