import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { endWithUs } from "./end-with-us.ts";
import { type OutputTail, outputTail } from "./output-tail.ts";
import { toolPath } from "./tools.ts";

/** A program to run: no shell ever sees it. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The working directory; the process's own temporary directory unless told otherwise. */
  readonly cwd?: string;
}

/** How a server process is started and known to be ready. */
export interface ProcessOptions {
  /** The name in error messages. */
  readonly name: string;
  /** Writes what the server needs into its temporary directory and says what to run; called before every start. */
  readonly prepare: (directory: string) => Command | Promise<Command>;
  /** Resolves when the server answers as wanted, rejects when not yet; it is tried again until the deadline. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
  /** How long a start may take, in milliseconds: 30 000. */
  readonly deadlineMs?: number;
  /** How long SIGTERM may take before SIGKILL follows, in milliseconds: 5 000. */
  readonly graceMs?: number;
}

/** A running server process. It never survives this process, however that ends on Linux. */
export interface ServerProcess extends AsyncDisposable {
  /** The process id; another one after a restart. */
  readonly pid: number;
  /** The temporary directory, which lives until {@link stop}. */
  readonly directory: string;
  /** The last lines of what it printed. */
  output(): string;
  /** Ends it with SIGTERM, after the grace with SIGKILL, and removes the temporary directory. Idempotent. */
  stop(): Promise<void>;
  /** Ends it with SIGKILL at once, as a crash would, and keeps the directory for a restart. */
  kill(): Promise<void>;
  /** Stands it still (SIGSTOP): connections are accepted by the kernel, nothing is answered. */
  pause(): void;
  /** Lets a paused process go on (SIGCONT). */
  resume(): void;
  /** Ends it if it runs, starts it again in the same directory, and resolves when it answers. */
  restart(): Promise<void>;
}

interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly exited: Promise<string>;
  signal(name: NodeJS.Signals): void;
  hasExited(): boolean;
}

const probePauseMs = 20;
const probeTimeoutMs = 2_000;

const run = (command: Command, directory: string, tail: OutputTail): Running => {
  // On Linux the kernel kills it with us even when we are killed ourselves and no hook of ours runs.
  const setpriv = process.platform === "linux" ? toolPath("setpriv") : undefined;
  const [file, args] =
    setpriv === undefined ? [command.file, command.args] : [setpriv, ["--pdeathsig", "KILL", "--", command.file, ...command.args]];
  const child = spawn(file, args, {
    cwd: command.cwd ?? directory,
    env: { ...process.env, ...command.env },
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own: Ctrl-C reaches us only, and we decide when it ends; its own children end with it.
    detached: true,
  });
  tail.add(child.stdout, child.stderr);
  let isOver = false;
  const exited = new Promise<string>((resolve) => {
    const end = (reason: string): void => {
      isOver = true;
      forget();
      resolve(reason);
    };
    child.once("error", (error) => end(`could not be started: ${error.message}`));
    child.once("exit", (code, signal) => end(signal === null ? `exited with code ${code}` : `was ended by ${signal}`));
  });
  const signal = (name: NodeJS.Signals): void => {
    if (isOver || child.pid === undefined) return;
    try {
      process.kill(-child.pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
  const forget = endWithUs(() => signal("SIGKILL"));
  return { child, pid: child.pid ?? 0, exited, signal, hasExited: () => isOver };
};

const end = async (running: Running, graceMs: number): Promise<void> => {
  if (!running.hasExited() && graceMs > 0) {
    running.signal("SIGTERM");
    running.signal("SIGCONT"); // A paused process takes no notice of SIGTERM.
    await Promise.race([running.exited, sleep(graceMs, undefined, { ref: false })]);
  }
  running.signal("SIGKILL");
  await running.exited;
};

const attempt = async (probe: ProcessOptions["probe"], timeoutMs: number): Promise<unknown> => {
  try {
    await probe(AbortSignal.timeout(timeoutMs));
    return undefined;
  } catch (error) {
    return error ?? new Error("the probe failed");
  }
};

const waitUntilReady = async (running: Running, tail: OutputTail, options: ProcessOptions): Promise<void> => {
  const { name, probe, deadlineMs = 30_000 } = options;
  const started = performance.now();
  let reason: unknown = new Error("not tried yet");
  const failure = (what: string): Error => new Error(`${name} ${what}; its last output:\n${tail.text() || "(none)"}`, { cause: reason });

  for (;;) {
    const leftMs = deadlineMs - (performance.now() - started);
    if (leftMs <= 0) throw failure(`did not answer within ${deadlineMs} ms (${String(reason)})`);
    const outcome = await Promise.race([
      attempt(probe, Math.min(probeTimeoutMs, Math.ceil(leftMs))).then((error) => ({ error })),
      running.exited,
    ]);
    if (running.hasExited()) {
      // What it printed last may still be in the pipe.
      await Promise.race([once(running.child, "close"), sleep(200)]);
      throw failure(`${await running.exited} before it answered`);
    }
    if (typeof outcome === "string") continue;
    if (outcome.error === undefined) return;
    reason = outcome.error;
    await sleep(probePauseMs);
  }
};

/** Starts a server process in a temporary directory of its own and resolves when it answers. */
export const startProcess = async (options: ProcessOptions): Promise<ServerProcess> => {
  const { name, prepare, graceMs = 5_000 } = options;
  const directory = await mkdtemp(join(tmpdir(), `inmesh-${name}-`));
  const forgetDirectory = endWithUs(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
  let tail = outputTail();
  let running: Running | undefined;
  let isStopped = false;

  const start = async (): Promise<void> => {
    const command = await prepare(directory);
    tail = outputTail();
    running = run(command, directory, tail);
    try {
      await waitUntilReady(running, tail, options);
    } catch (error) {
      await end(running, 0);
      throw error;
    }
  };

  const stop = async (): Promise<void> => {
    isStopped = true;
    if (running !== undefined) await end(running, graceMs);
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    forgetDirectory();
  };

  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    get pid() {
      return running?.pid ?? 0;
    },
    directory,
    output: () => tail.text(),
    stop,
    async kill() {
      if (running !== undefined) await end(running, 0);
    },
    pause: () => running?.signal("SIGSTOP"),
    resume: () => running?.signal("SIGCONT"),
    async restart() {
      if (isStopped) throw new Error(`${name} is stopped for good`);
      if (running !== undefined) await end(running, graceMs);
      await start();
    },
    [Symbol.asyncDispose]: stop,
  };
};
