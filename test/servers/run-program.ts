import { execFile } from "node:child_process";

/** How a program ended, and what it printed. */
export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where a program runs. */
export interface ProgramOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

const timeoutMs = 60_000;

/**
 * Runs a program to its end, at most 60 s, and returns how it ended, whatever its exit code. Rejects only where it could
 * not be run at all or had to be ended.
 */
export const runProgram = (file: string, args: readonly string[], options: ProgramOptions = {}): Promise<ProgramResult> =>
  new Promise((resolve, reject) => {
    const { cwd, env } = options;
    const settings = { cwd, env: { ...process.env, ...env }, timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(file, args, settings, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr });
      else if (typeof error.code === "number") resolve({ code: error.code, stdout, stderr });
      else reject(error);
    });
    child.stdin?.end();
  });
