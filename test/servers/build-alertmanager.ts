import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { unpackDebianPackages } from "./debian-packages.ts";
import { runStep } from "./step.ts";

const name = "alertmanager";

/** Where the package has its notification templates, below the directory it was unpacked into. */
export const templateDirectory = "usr/share/prometheus/alertmanager";

/**
 * Debian's Alertmanager loads its templates from a directory that is fixed in the program, and ends at once where they
 * aren't there. Upstream has them inside the program, Debian took them out, and no flag names another place. So the path
 * is replaced in our copy by one of the same length that means the working directory, where whoever starts it puts the
 * templates. Mounting over the path would need a user namespace, which many containers refuse to make, and a directory
 * below `/usr` to mount on; building it from source would need Go and several hundred modules.
 */
const lookForTemplatesInWorkingDirectory = async (program: string): Promise<void> => {
  // Go keeps the length of a string apart from its bytes: bytes can change, their number can't.
  const path = `/${templateDirectory}`;
  const replacement = "./".repeat(path.length).slice(0, path.length);
  const before = await readFile(program, "latin1");
  if (!before.includes(path)) throw new Error(`${name}: ${path} isn't in the program any more`);
  await writeFile(program, before.replaceAll(path, replacement), "latin1");
};

/** Unpacks Alertmanager and amtool into `directory`; nothing is installed in the system. */
export const buildAlertmanager = async (directory: string): Promise<void> => {
  await unpackDebianPackages(name, join(import.meta.dirname, name, "packages.txt"), directory);
  const programs = join(directory, "usr", "bin");
  await lookForTemplatesInWorkingDirectory(join(programs, "prometheus-alertmanager"));
  for (const program of ["prometheus-alertmanager", "amtool"]) {
    await runStep({ name, doing: `asking ${program} for its version`, file: join(programs, program), args: ["--version"] });
  }
};
