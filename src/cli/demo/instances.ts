import { type ChildProcess, fork } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** What an instance is told. */
export interface InstanceOrder {
  /** How much longer each answer takes from now on, in milliseconds. */
  readonly delayMs?: number;
  /** Deregister and end. */
  readonly leave?: boolean;
}

/** What an instance says once it listens. */
export interface InstanceReport {
  readonly port: number;
}

/** Where instances register themselves; `undefined`: somebody else makes them known. */
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

  /** Starts an instance, on the port it had before, and resolves with the port once it listens and is registered. */
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

  /** Tells an instance something. */
  tell(name: string, order: InstanceOrder): void {
    this.#children.get(name)?.send(order);
  }

  /** Ends an instance the hard way: no goodbye to the registry, connections cut. */
  kill(name: string): void {
    this.#children.get(name)?.kill("SIGKILL");
    this.#children.delete(name);
  }

  /** Ends every instance and resolves when all are gone. */
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

/** The file of an instance: from the sources as it is, in the package as it was built. This module may be in any chunk of the build. */
function program(): string {
  const root = dirname(createRequire(import.meta.url).resolve("inmesh/package.json"));
  return join(root, import.meta.filename.endsWith(".ts") ? "src/cli/demo/instance.ts" : "dist/cli/demo/instance.js");
}
