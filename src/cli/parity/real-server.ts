import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const startMs = 10_000;

/** How a real server is started. */
export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** The port that it listens on when it is ready. */
  readonly port: number;
}

/** A real nginx or Envoy, in a process of its own. */
export class RealServer implements AsyncDisposable {
  readonly #process: ChildProcess;
  #errors = "";
  #hasEnded = false;

  private constructor({ program, args }: ServerCommand) {
    this.#process = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#process.stderr?.on("data", (chunk: Buffer) => {
      if (this.#errors.length < 4_096) this.#errors += chunk.toString("utf8");
    });
    this.#process.once("error", (error) => {
      this.#errors = error.message;
      this.#hasEnded = true;
    });
    this.#process.once("exit", () => {
      this.#hasEnded = true;
    });
  }

  /**
   * Starts it, and waits until it listens.
   * Rejects with an Error that has what it said where it ends.
   */
  static async start(command: ServerCommand, signal: AbortSignal): Promise<RealServer> {
    const { program, port } = command;
    const started = new RealServer(command);
    const endsAt = performance.now() + startMs;
    while (!(await listens(port))) {
      const isLate = performance.now() > endsAt || signal.aborted;
      if (started.#hasEnded || isLate) {
        await started[Symbol.asyncDispose]();
        throw new Error(
          `${program} ${isLate ? "does not listen" : "does not take the file"}: ${started.#errors.trim() || "it says nothing"}`,
        );
      }
      await sleep(20);
    }
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded) return;
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), 3_000);
    await ended;
    clearTimeout(timer);
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}
