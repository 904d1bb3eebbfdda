import { type Discovery, parseTarget } from "../../extend.ts";
import { type Command, command as declare } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { lookUp } from "../lookup.ts";
import { formatOption } from "../option-table.ts";
import { readDuration } from "../option-values.ts";
import { registryOptions, timeoutOption } from "../registry/registry-options.ts";
import { registrySource } from "../registry/registry-source.ts";
import type { Column } from "../terminal/table.ts";

/** One service in {@link ServicesReport}. */
export interface ServiceView {
  readonly name: string;
  /** Whether a target can hold this name. */
  readonly callable: boolean;
}

/** A row of the table. */
interface ServiceRow extends ServiceView {
  /** Endpoints that a mesh would use; `null` without `-o wide`, and when the lookup failed. */
  readonly endpoints: number | null;
}

/** The JSON of `inmesh services -o json`. */
export interface ServicesReport {
  readonly discovery: string;
  readonly services: readonly ServiceView[];
}

/** Lookups under way at a time. */
const concurrency = 8;

/** `inmesh services`. */
export const command: Command = declare({
  description: "Lists the services of the registry. -o wide looks up the endpoints of each of them, too.",
  positionals: [],
  options: { ...registryOptions, ...timeoutOption, ...formatOption },
  examples: ["inmesh services", "inmesh services --consul http://10.0.0.5:8500 --token-file token -o wide"],
  async run({ values, terminal, io }) {
    const timeoutMs = readDuration("timeout", values.timeout ?? "5s");
    const { discovery } = await registrySource(values, io, terminal);
    const name = discovery.name ?? "discovery";
    terminal.progress(`asking ${name} …`);
    let services: readonly ServiceRow[] = (await namesOf(discovery, timeoutMs, io.signal)).map((service) => ({
      name: service,
      callable: isCallable(service),
      endpoints: null,
    }));
    if (terminal.format === "wide") services = await counted(discovery, services, timeoutMs, io.signal);
    await discovery.close?.();
    terminal.progress();
    const report: ServicesReport = { discovery: name, services: services.map(({ name, callable }) => ({ name, callable })) };
    if (terminal.format === "json") await terminal.json(report);
    else if (services.length > 0) await terminal.table(columns, services);
    if (services.length > 0) return exitCodes.ok;
    terminal.note(`${name} lists no service`);
    return exitCodes.nothing;
  },
});

const columns: readonly Column<ServiceRow>[] = [
  { title: "SERVICE", cell: ({ name, callable }) => (callable ? name : `${name} (no name that can be called)`) },
  { title: "ENDPOINTS", align: "right", isWide: true, cell: ({ endpoints }) => (endpoints === null ? "-" : String(endpoints)) },
];

async function namesOf(discovery: Discovery, timeoutMs: number, signal: AbortSignal): Promise<readonly string[]> {
  if (discovery.services === undefined) throw new Error(`${discovery.name ?? "this source"} has no list of its services`);
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal.reason);
  const timer = setTimeout(() => controller.abort(new Error(`${discovery.name} has not answered within ${timeoutMs} ms`)), timeoutMs);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    signal.throwIfAborted();
    const names = await discovery.services(controller.signal);
    return [...names].sort();
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

async function counted(
  discovery: Discovery,
  services: readonly ServiceRow[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<readonly ServiceRow[]> {
  // A lookup closes its mesh and with it the adapter; the command itself closes the adapter, once.
  const { close: _, ...shared } = discovery;
  const rows = [...services];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < rows.length; index = next++) {
      const row = rows[index] as ServiceRow;
      if (!row.callable) continue;
      const count = lookUp(shared, row.name, { timeoutMs, signal }, async ({ update }) => update.endpoints.length);
      rows[index] = { ...row, endpoints: await count.catch(() => null) };
      signal.throwIfAborted();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return rows;
}

function isCallable(service: string): boolean {
  try {
    return parseTarget(service).service === service;
  } catch {
    return false;
  }
}
