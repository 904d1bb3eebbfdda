import { Readable, Writable } from "node:stream";
import type { CommandEntry } from "../../src/cli/commands.ts";
import type { Input, Io, Output } from "../../src/cli/io.ts";
import { run } from "../../src/cli/run.ts";

/** How a command line is run in this process. */
export interface CliOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  /** Both outputs say that they are terminals. */
  readonly isTerminal?: boolean;
  /** Their columns. Default 120. */
  readonly columns?: number;
  readonly stdin?: Input;
  readonly known?: ReadonlyMap<string, CommandEntry>;
}

/** How it ended. */
export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command line under way. */
export interface RunningCli {
  readonly ended: Promise<CliResult>;
  stdout(): string;
  stderr(): string;
}

/** Runs `inmesh` with these arguments in this process, with nothing in its environment that is not given. */
export function runCli(argv: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(argv, options).ended;
}

/** The same, to be looked at while it runs. */
export function startCli(argv: readonly string[], options: CliOptions = {}): RunningCli {
  const { env = {}, signal = new AbortController().signal, isTerminal = false, columns = 120, known } = options;
  const [out, err] = [sink(isTerminal, columns), sink(isTerminal, columns)];
  const io: Io = { stdout: out.stream, stderr: err.stream, stdin: options.stdin ?? Readable.from([]), env, signal };
  const ended = run(argv, io, known).then((code) => ({ code, stdout: out.text(), stderr: err.text() }));
  return { ended, stdout: out.text, stderr: err.text };
}

function sink(isTTY: boolean, columns: number): { stream: Output; text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY, columns, rows: 40 }), text: () => Buffer.concat(chunks).toString() };
}
