import { join } from "node:path";
import { runStep } from "./step.ts";

const source = join(import.meta.dirname, "consul");
const main = "github.com/hashicorp/consul";
// The workspace of a user around this checkout, and the C compiler they may not have, are none of our business.
const env = { CGO_ENABLED: "0", GOWORK: "off" };

/** Builds the Consul of `consul/go.mod` into `directory`: a few minutes of two processors where nothing is cached. */
export const buildConsul = async (directory: string): Promise<void> => {
  const listed = await runStep({
    name: "consul",
    doing: "fetching its modules",
    file: "go",
    args: ["list", "-mod=readonly", "-deps", main],
    cwd: source,
    env,
    progress: (tail) => `${tail.count()} lines so far: ${tail.lastLine().slice(0, 80)}`,
  });
  const packages = listed.trimEnd().split("\n").length;
  const program = join(directory, "consul");
  await runStep({
    name: "consul",
    doing: "compiling",
    file: "go",
    // -v names each package as it is compiled (not those from the cache), which is what the progress is counted by.
    args: ["build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-v", "-o", program, main],
    cwd: source,
    env,
    progress: (tail) => `${Math.min(tail.count(), packages)} of at most ${packages} packages`,
  });
  await runStep({ name: "consul", doing: "asking for its version", file: program, args: ["version"] });
};
