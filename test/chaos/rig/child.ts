import { type ChildProcess, spawn } from "node:child_process";
import { endWithUs } from "../../servers/end-with-us.ts";
import { outputTail } from "../../servers/output-tail.ts";
import { toolPath } from "../../servers/tools.ts";

/** How a Node process of the rig is started. */
export interface ChildOptions {
  /** The script. */
  readonly file: string;
  readonly args?: readonly string[];
  /** A program in front of Node, such as `prlimit`. */
  readonly prefix?: readonly string[];
  /** The Node to run it on; this process's own unless told otherwise. */
  readonly node?: string;
}

/** A Node process of the rig. It never survives this process, not even when it has been stopped. */
export interface Child {
  readonly pid: number;
  readonly exited: Promise<void>;
  send(message: unknown): void;
  /** The next message that `test` accepts; rejects when the process ends before. */
  message<T>(test: (message: { readonly type: string }) => boolean): Promise<T>;
  /** Sends a signal; nothing when it has ended. */
  signal(name: NodeJS.Signals): void;
  /** Ends it with SIGKILL and resolves when it is gone. */
  kill(): Promise<void>;
}

/** Longer than anything that a child is asked for takes. */
const silenceMs = 60_000;

/** Starts a Node process with a channel for messages. */
export function startChild({ file, args = [], prefix = [], node = process.execPath }: ChildOptions): Child {
  const setpriv = process.platform === "linux" ? toolPath("setpriv") : undefined;
  const command = [
    ...(setpriv === undefined ? [] : [setpriv, "--pdeathsig", "KILL", "--"]),
    ...prefix,
    node,
    "--expose-gc",
    "--disable-warning=ExperimentalWarning",
    file,
    ...args,
  ];
  const [program = node, ...rest] = command;
  const child: ChildProcess = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const tail = outputTail();
  if (child.stdout !== null && child.stderr !== null) tail.add(child.stdout, child.stderr);
  let isOver = false;
  const exited = new Promise<void>((resolve) => {
    const end = () => {
      isOver = true;
      forget();
      resolve();
    };
    child.once("exit", end);
    child.once("error", end);
  });
  const signal = (name: NodeJS.Signals) => {
    if (!isOver && child.pid !== undefined) child.kill(name);
  };
  const forget = endWithUs(() => signal("SIGKILL"));
  return {
    pid: child.pid ?? 0,
    exited,
    send: (message) => {
      if (!isOver && child.connected) child.send(message as object);
    },
    message: <T>(test: (message: { readonly type: string }) => boolean) =>
      new Promise<T>((resolve, reject) => {
        const forgetMessage = () => {
          clearTimeout(timer);
          child.off("message", onMessage);
        };
        const onMessage = (message: unknown) => {
          if (!test(message as { readonly type: string })) return;
          forgetMessage();
          resolve(message as T);
        };
        const fail = (what: string) => {
          forgetMessage();
          reject(new Error(`${file} ${what}; its last output:\n${tail.text()}`));
        };
        const timer = setTimeout(() => fail(`said nothing for ${silenceMs} ms`), silenceMs);
        child.on("message", onMessage);
        void exited.then(() => fail("ended"));
      }),
    signal,
    async kill() {
      signal("SIGKILL");
      await exited;
    },
  };
}
