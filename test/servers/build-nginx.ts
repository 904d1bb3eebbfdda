import { join } from "node:path";
import { bindEnvironment } from "./bind-files.ts";
import { unpackDebianPackages } from "./debian-packages.ts";
import { runStep } from "./step.ts";

const name = "nginx";

/** Unpacks nginx with its libraries into `directory`; nothing is installed in the system. */
export const buildNginx = async (directory: string): Promise<void> => {
  await unpackDebianPackages(name, join(import.meta.dirname, "nginx", "packages.txt"), directory);
  const program = join(directory, "usr", "sbin", "nginx");
  await runStep({ name, doing: "asking for its version", file: program, args: ["-v"], env: await bindEnvironment(directory) });
};
