import { rm } from "node:fs/promises";
import { join } from "node:path";
import { unpackDebianPackages } from "./debian-packages.ts";
import { runStep } from "./step.ts";

const name = "prometheus";

/** Unpacks Prometheus and promtool into `directory`; nothing is installed in the system. */
export const buildPrometheus = async (directory: string): Promise<void> => {
  await unpackDebianPackages(name, join(import.meta.dirname, name, "packages.txt"), directory);
  // Scripts and fonts of a user interface that nobody looks at.
  await rm(join(directory, "usr", "share"), { recursive: true });
  for (const program of [name, "promtool"]) {
    const file = join(directory, "usr", "bin", program);
    await runStep({ name, doing: `asking ${program} for its version`, file, args: ["--version"] });
  }
};
