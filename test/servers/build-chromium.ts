import { join } from "node:path";
import { chromiumEnvironment, chromiumProgram } from "./chromium-files.ts";
import { unpackDebianPackages } from "./debian-packages.ts";
import { runStep } from "./step.ts";

const name = "chromium";

/**
 * Unpacks Chromium, its libraries and fonts into `directory`; nothing is installed in the system. It is the headless shell,
 * the same browser without windows: a fifth smaller to fetch than the package with them, and it needs no GTK.
 */
export const buildChromium = async (directory: string): Promise<void> => {
  await unpackDebianPackages(name, join(import.meta.dirname, name, "packages.txt"), directory);
  const env = await chromiumEnvironment(directory);
  // It doesn't start, not even for this, where a library is missing.
  await runStep({ name, doing: "asking for its version", file: chromiumProgram(directory), args: ["--version"], env });
};
