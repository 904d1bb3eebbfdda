import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { runStep } from "./step.ts";

/** Installs the packages of `compilers/package.json` into `directory`, by their lock file. */
export const buildCompilers = async (directory: string): Promise<void> => {
  for (const file of ["package.json", "package-lock.json"])
    await copyFile(join(import.meta.dirname, "compilers", file), join(directory, file));
  await runStep({
    name: "compilers",
    doing: "fetching TypeScript 5.8 and 5.9, and the types of Node 22 and undici 8",
    file: "npm",
    args: ["ci", "--prefix", directory, "--ignore-scripts", "--no-audit", "--no-fund"],
    cwd: directory,
  });
};
