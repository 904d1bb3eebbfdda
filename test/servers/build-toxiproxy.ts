import { join } from "node:path";
import { runStep } from "./step.ts";

const name = "toxiproxy";
const source = join(import.meta.dirname, name);
const main = "github.com/Shopify/toxiproxy/v2/cmd/server";
// As for Consul: neither the user's workspace nor their C compiler is any business of ours.
const env = { CGO_ENABLED: "0", GOWORK: "off" };

/** Builds the toxiproxy of `toxiproxy/go.mod` into `directory`: less than a minute of two processors where nothing is cached. */
export const buildToxiproxy = async (directory: string): Promise<void> => {
  const program = join(directory, name);
  const args = ["build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", program, main];
  await runStep({ name, doing: "compiling", file: "go", args, cwd: source, env });
  await runStep({ name, doing: "asking for its version", file: program, args: ["-version"] });
};
