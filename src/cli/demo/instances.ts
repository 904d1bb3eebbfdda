import { type ChildProcess, fork } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** A message to an instance. */
export interface InstanceOrder {
  /** Delay of each response from now on, in milliseconds. */
  readonly delayMs?: number;
  /** Deregister and end. */
  readonly leave?: boolean;
}

/** The message of an instance once it listens. */
export interface InstanceReport {
  readonly port: number;
}

/** A registry that instances register themselves with. */
export interface SelfRegistration {
  readonly registry: string;
  readonly url: string;
}

/** The demo's instances, by name: child processes that are started, slowed down and killed. */
export class Instances {
  readonly #register: SelfRegistration | undefined;
  readonly #children = new Map<string, ChildProcess>();
  readonly #ports = new Map<string, number>();

  constructor(register: SelfRegistration | undefined) {
    this.#register = register;
  }

  /**
   * Starts an instance, on the port it had before if any. Resolves with the port once the instance listens and is registered.
   * @throws Error when the process ends before that
   */
  async start(name: string): Promise<number> {
    const { registry = "", url = "" } = this.#register ?? {};
    const child = fork(program(), [name, String(this.#ports.get(name) ?? 0), registry, url], { silent: true });
    this.#children.set(name, child);
    let output = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    const { port } = await new Promise<InstanceReport>((resolve, reject) => {
      child.once("message", (message) => resolve(message as InstanceReport));
      child.once("exit", (code) => reject(new Error(`instance ${name} ended with code ${code} before it listened\n${output}`)));
    });
    child.removeAllListeners("exit");
    this.#ports.set(name, port);
    return port;
  }

  /** Sends an instance a message. */
  tell(name: string, order: InstanceOrder): void {
    this.#children.get(name)?.send(order);
  }

  /** Kills an instance (SIGKILL): it does not deregister, and its connections are reset. */
  kill(name: string): void {
    this.#children.get(name)?.kill("SIGKILL");
    this.#children.delete(name);
  }

  /** Kills every instance and resolves when all processes have ended. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.#children.values()].map(
        (child) =>
          new Promise<void>((resolve) => {
            if (child.exitCode !== null || child.signalCode !== null) return resolve();
            child.once("exit", () => resolve());
            child.kill("SIGKILL");
          }),
      ),
    );
    this.#children.clear();
  }
}

/** The program of an instance: the source file beside this one, or its built form in `dist`. This module may be in any chunk there. */
function program(): string {
  const root = dirname(createRequire(import.meta.url).resolve("inmesh/package.json"));
  return join(root, import.meta.filename.endsWith(".ts") ? "src/cli/demo/instance.ts" : "dist/cli/demo/instance.js");
}
