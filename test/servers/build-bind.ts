import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { bindEnvironment } from "./bind-files.ts";
import { runStep, say } from "./step.ts";

const name = "bind";

/** The packages and those of their dependencies that this system lacks: only simulated, nothing is installed. */
const missingPackages = async (wanted: readonly string[]): Promise<readonly string[]> => {
  const printed = await runStep({
    name,
    doing: "looking up its packages",
    file: "apt-get",
    args: ["install", "--simulate", "--no-install-recommends", ...wanted],
  });
  const missing = [...printed.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? "");
  return [...new Set([...wanted, ...missing])];
};

const download = async (wanted: readonly string[], directory: string): Promise<void> => {
  const packages = await missingPackages(wanted);
  const args = ["download", "--quiet", ...packages];
  await runStep({ name, doing: `fetching ${packages.length} packages`, file: "apt-get", args, cwd: directory });
};

/** Unpacks BIND (named, nsupdate, dig) with its libraries into `directory`; nothing is installed in the system. */
export const buildBind = async (directory: string): Promise<void> => {
  const text = await readFile(join(import.meta.dirname, "bind", "packages.txt"), "utf8");
  const wanted = text.split("\n").filter((line) => line !== "");
  try {
    await download(wanted, directory);
  } catch (error) {
    if (process.getuid?.() !== 0) throw error;
    // A fresh system has no package lists, and an old list names versions that are gone.
    say(name, "its packages were not found, refreshing the package lists");
    await runStep({ name, doing: "apt-get update", file: "apt-get", args: ["update"] });
    await download(wanted, directory);
  }
  const archives = (await readdir(directory)).filter((file) => file.endsWith(".deb"));
  for (const archive of archives) {
    const doing = `unpacking ${archive.split("_")[0] ?? archive}`;
    await runStep({ name, doing, file: "dpkg", args: ["-x", archive, "."], cwd: directory });
    await rm(join(directory, archive));
  }
  const program = join(directory, "usr", "sbin", "named");
  await runStep({ name, doing: "asking for its version", file: program, args: ["-v"], env: await bindEnvironment(directory) });
};
