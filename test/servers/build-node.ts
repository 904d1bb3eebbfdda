import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nodeVersion } from "./recipes.ts";
import { runStep } from "./step.ts";

// The `node` package gets its program by an install script, which npm may have been told not to run; the packages of one
// platform each hold the program itself.
const platformPackage = (): string => {
  const prefix = process.platform === "darwin" && process.arch === "arm64" ? "node-bin" : "node";
  return `${prefix}-${process.platform}-${process.arch}`;
};

/** Installs another Node version into `directory`: the program is `bin/node`. */
export const buildNode = async (name: "node22" | "node26", directory: string): Promise<void> => {
  const packageName = platformPackage();
  const version = nodeVersion(name);
  await writeFile(join(directory, "package.json"), '{ "private": true }\n');
  await runStep({
    name,
    doing: `fetching Node ${version}`,
    file: "npm",
    args: ["install", "--prefix", directory, "--ignore-scripts", "--no-audit", "--no-fund", `${packageName}@${version}`],
    cwd: directory,
  });
  await mkdir(join(directory, "bin"));
  const program = join(directory, "bin", "node");
  await rename(join(directory, "node_modules", packageName, "bin", "node"), program);
  await rm(join(directory, "node_modules"), { recursive: true, force: true });
  const printed = await runStep({ name, doing: "asking for its version", file: program, args: ["--version"] });
  if (printed.trim() !== `v${version}`) throw new Error(`${name}: expected Node ${version}, got ${printed.trim()}`);
};
