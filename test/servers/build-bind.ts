import { join } from "node:path";
import { bindEnvironment } from "./bind-files.ts";
import { unpackDebianPackages } from "./debian-packages.ts";
import { runStep } from "./step.ts";

const name = "bind";

/** Unpacks BIND (named, nsupdate, dig) with its libraries into `directory`; nothing is installed in the system. */
export const buildBind = async (directory: string): Promise<void> => {
  await unpackDebianPackages(name, join(import.meta.dirname, "bind", "packages.txt"), directory);
  const program = join(directory, "usr", "sbin", "named");
  await runStep({ name, doing: "asking for its version", file: program, args: ["-v"], env: await bindEnvironment(directory) });
};
