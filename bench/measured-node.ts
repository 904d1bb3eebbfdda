import { execFileSync } from "node:child_process";

let program = process.execPath;

/** Has the processes that are measured run on another Node.js; the command itself stays on its own. */
export function measureOn(path: string): void {
  program = path;
}

/** The Node.js that is measured, as a path: `--node PROGRAM` of the command, else the one that runs it. */
export function measuredNode(): string {
  return program;
}

/** The version of {@link measuredNode}: `v24.21.0`. */
export function measuredVersion(): string {
  return program === process.execPath ? process.version : execFileSync(program, ["--version"], { encoding: "utf8" }).trim();
}
