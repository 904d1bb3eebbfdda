import { spawn } from "node:child_process";
import { endWithUs } from "./end-with-us.ts";
import { type OutputTail, outputTail } from "./output-tail.ts";

/** One step of a build: what is said about it, and the program that does it. */
export interface Step {
  /** What it belongs to, the first word of each line. */
  readonly name: string;
  /** What is being done, such as "compiling". */
  readonly doing: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** How far it is, for the lines in between; the last line of output unless told otherwise. */
  readonly progress?: (tail: OutputTail) => string;
}

const reportEveryMs = 10_000;
const worthSayingMs = 2_000;

const elapsed = (startedAt: number): string => {
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
};

/** Prints one line about a server's build. */
export const say = (name: string, message: string): void => console.log(`${name}: ${message}`);

/** Runs `work`, saying when it starts, every ten seconds how far it is, and how long it took. */
export const timed = async <T>(name: string, doing: string, work: () => Promise<T>, progress: () => string = () => ""): Promise<T> => {
  const startedAt = performance.now();
  say(name, `${doing} ...`);
  const ticker = setInterval(() => {
    const detail = progress();
    say(name, `still ${doing}, ${elapsed(startedAt)}${detail === "" ? "" : `, ${detail}`}`);
  }, reportEveryMs);
  try {
    const result = await work();
    if (performance.now() - startedAt > worthSayingMs) say(name, `done with ${doing}, ${elapsed(startedAt)}`);
    return result;
  } finally {
    clearInterval(ticker);
  }
};

const execute = (step: Step, tail: OutputTail): Promise<string> =>
  new Promise((resolve, reject) => {
    const { name, doing, file, args, cwd, env } = step;
    const child = spawn(file, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    const forget = endWithUs(() => child.kill("SIGTERM"));
    let stdout = "";
    tail.add(child.stdout, child.stderr);
    child.stdout.on("data", (text: string) => {
      stdout += text;
    });
    child.once("error", reject);
    child.once("close", (code, signal) => {
      forget();
      if (code === 0) resolve(stdout);
      else reject(new Error(`${doing} failed (${signal ?? `code ${code}`}); ${name}'s last output:\n${tail.text()}`));
    });
  });

/** Runs one step to its end and returns what it printed on stdout; rejects with its last output unless it ends well. */
export const runStep = (step: Step): Promise<string> => {
  const tail = outputTail();
  const progress = step.progress ?? (() => tail.lastLine().trim().slice(0, 100));
  return timed(
    step.name,
    step.doing,
    () => execute(step, tail),
    () => progress(tail),
  );
};
