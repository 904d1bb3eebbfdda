import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { endWithUs } from "../test/servers/end-with-us.ts";
import { measuredNode } from "./measured-node.ts";

/** A process that answers questions one at a time. It ends with this process. */
export interface Child<Question, Answer> extends AsyncDisposable {
  readonly pid: number;
  /** Its first answer, when it was ready. */
  readonly ready: Answer;
  ask(question: Question): Promise<Answer>;
  stop(): Promise<void>;
}

type Message<Answer> = { readonly answer: Answer } | { readonly error: string };

/** Starts `bench/FILE` as a process and resolves when it is ready. */
export async function startChild<Question, Answer>(
  file: string,
  args: readonly string[] = [],
  execArgv: readonly string[] = [],
): Promise<Child<Question, Answer>> {
  const child = fork(join(import.meta.dirname, file), args, { execPath: measuredNode(), execArgv: [...execArgv] });
  const forget = endWithUs(() => child.kill("SIGKILL"));
  const hasExited = once(child, "exit").then(([code, signal]) => {
    forget();
    return new Error(`${file} ${args.join(" ")} ended by itself (${signal ?? `code ${code}`})`);
  });
  const next = async (): Promise<Answer> => {
    const message = await Promise.race([once(child, "message").then(([first]) => first as Message<Answer>), hasExited]);
    if (message instanceof Error) throw message;
    if ("error" in message) throw new Error(`${file} ${args.join(" ")}: ${message.error}`);
    return message.answer;
  };
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await hasExited;
  };
  const ready = await next();
  return {
    pid: child.pid as number,
    ready,
    ask(question) {
      const answer = next();
      child.send(question as object);
      return answer;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** The other side of {@link startChild}: says it is ready, and answers until the process that started it is gone. */
export function answerParent<Question, Answer>(ready: Answer, answer: (question: Question) => Promise<Answer> | Answer): void {
  const send = (message: Message<Answer>): void => {
    if (process.connected) process.send?.(message);
  };
  process.on("message", async (question) => {
    try {
      send({ answer: await answer(question as Question) });
    } catch (error) {
      send({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  process.on("disconnect", () => process.exit());
  send({ answer: ready });
}

/** Microseconds of CPU that this process, with all its threads, spends in `run`. */
export async function cpuMicros(run: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const used = process.cpuUsage(before);
  return used.user + used.system;
}
