import { exitCodes } from "../exit-codes.ts";
import type { Io } from "../io.ts";
import type { Values } from "../option-table.ts";
import { readWhole } from "../option-values.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { Demo } from "./demo.ts";
import type { demoOptions } from "./demo-options.ts";
import type { DemoRegistry } from "./demo-registry.ts";
import { reportDemo } from "./demo-report.ts";
import { openPage } from "./page.ts";
import { Screen } from "./screen.ts";

/** Settings of {@link runDemo}. */
export interface DemoRun {
  readonly values: Values<typeof demoOptions>;
  readonly terminal: Terminal;
  readonly io: Io;
  /** Name of the registry in the report. */
  readonly registryName: string;
  readonly startRegistry: () => Promise<DemoRegistry>;
}

/**
 * Runs three instances under load, of which one is killed and one hangs. Resolves with the exit code, 1 when a GET failed, after every
 * process that the demo started has ended.
 */
export async function runDemo({ values, terminal, io, registryName, startRegistry }: DemoRun): Promise<number> {
  const seconds = values.seconds === undefined ? undefined : readWhole("seconds", values.seconds, 1, 86_400);
  const port = values["admin-port"] === undefined ? undefined : readWhole("admin-port", values["admin-port"], 0, 65_535);
  const server = registryName === "memory" ? "" : ` and a real ${registryName} server`;
  await terminal.line(`starting three instances of the service "shop"${server} …`);
  const demo = new Demo(await startRegistry());
  const end = (): void => demo.end();
  io.signal.addEventListener("abort", end, { once: true });
  if (io.signal.aborted) end();
  try {
    await demo.start();
    if (values.admin === true || port !== undefined) await terminal.line(`live page: ${await openPage(demo.mesh, port)}`);
    const { mesh, statistics } = demo;
    const screen = new Screen({ mesh, statistics, title: `inmesh demo — ${demo.describe(registryName)}`, terminal });
    await demo.play({ screen, drawEveryMs: terminal.isInteractive ? 200 : 2_000, seconds, isForever: values.forever === true });
  } catch (error) {
    if (!demo.isEnding) throw error;
  } finally {
    io.signal.removeEventListener("abort", end);
    await demo.close(!io.signal.aborted);
  }
  if (io.signal.aborted) {
    await terminal.text("\nstopped; every process that the demo started has ended");
    return exitCodes.interrupted;
  }
  return reportDemo(demo.statistics, { terminal, file: values.json, registryName });
}
