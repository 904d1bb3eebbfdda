import { execFile } from "node:child_process";
import { join } from "node:path";

/** The folder of the examples. */
export const directory = join(import.meta.dirname, "../../examples");

/** How an example ended. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs an example as its reader would, but for the addresses of the servers. One that does not end is killed. */
export function run(file: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(NODE_|VITEST|CONSUL_|EUREKA_|DNS_|SPIFFE_)/.test(name)),
  );
  const options = { env: { ...inherited, ...env }, timeout: 60_000, killSignal: "SIGKILL" } as const;
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [join(directory, file)], options, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, output: stdout + stderr });
    });
  });
}
