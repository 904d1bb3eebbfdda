import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { runStep, say } from "./step.ts";

/** The packages and those of their dependencies that this system lacks: only simulated, nothing is installed. */
const missingPackages = async (name: string, wanted: readonly string[]): Promise<readonly string[]> => {
  const printed = await runStep({
    name,
    doing: "looking up its packages",
    file: "apt-get",
    args: ["install", "--simulate", "--no-install-recommends", ...wanted],
  });
  const missing = [...printed.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? "");
  return [...new Set([...wanted, ...missing])];
};

const download = async (name: string, wanted: readonly string[], directory: string): Promise<void> => {
  const packages = await missingPackages(name, wanted);
  const args = ["download", "--quiet", ...packages];
  await runStep({ name, doing: `fetching ${packages.length} packages`, file: "apt-get", args, cwd: directory });
};

/** Unpacks the packages listed in `listFile`, and what they need, into `directory`; nothing is installed in the system. */
export const unpackDebianPackages = async (name: string, listFile: string, directory: string): Promise<void> => {
  const wanted = (await readFile(listFile, "utf8")).split("\n").filter((line) => line !== "");
  try {
    await download(name, wanted, directory);
  } catch (error) {
    if (process.getuid?.() !== 0) throw error;
    // A fresh system has no package lists, and an old list names versions that are gone.
    say(name, "its packages were not found, refreshing the package lists");
    await runStep({ name, doing: "apt-get update", file: "apt-get", args: ["update"] });
    await download(name, wanted, directory);
  }
  const archives = (await readdir(directory)).filter((file) => file.endsWith(".deb"));
  for (const archive of archives) {
    const doing = `unpacking ${archive.split("_")[0] ?? archive}`;
    await runStep({ name, doing, file: "dpkg", args: ["-x", archive, "."], cwd: directory });
    await rm(join(directory, archive));
  }
};
