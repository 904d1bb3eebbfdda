import { join } from "node:path";
import { runStep } from "./step.ts";

const name = "spiffe-peer";
const source = join(import.meta.dirname, name);
// As for Consul: neither the user's workspace nor their C compiler is any business of ours.
const env = { CGO_ENABLED: "0", GOWORK: "off" };

/** Builds the program in `spiffe-peer`, on go-spiffe and go-control-plane, into `directory`: about a minute of two processors where nothing is cached. */
export const buildSpiffePeer = async (directory: string): Promise<void> => {
  const program = join(directory, name);
  const args = ["build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", program, "."];
  await runStep({ name, doing: "compiling", file: "go", args, cwd: source, env });
};
