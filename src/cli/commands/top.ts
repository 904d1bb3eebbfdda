import { canariesByHealth } from "../../admin/health/canaries.ts";
import { byHealth } from "../../admin/health/health.ts";
import { registryTrouble } from "../../admin/health/strip.ts";
import type { CanaryRow } from "../../admin/routes/canary-row.ts";
import type { MeshSnapshot, ServiceSnapshot } from "../../admin/snapshot.ts";
import { describeError } from "../../core/errors.ts";
import { type AdminClient, adminClient, adminOptions } from "../admin/admin-client.ts";
import { canaryColumns } from "../admin/canary-columns.ts";
import { FullScreen } from "../admin/full-screen.ts";
import { endpointRowColumns, serviceColumns, stripLine } from "../admin/service-columns.ts";
import { type Call, type Command, command as declare } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatOption } from "../option-table.ts";
import { plain } from "../terminal/plain.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { wrapped } from "../terminal/wrap.ts";
import { UsageError } from "../usage-error.ts";
import { waitFor } from "../wait.ts";

const options = { ...adminOptions, ...formatOption };

const reconnectMs = 1_000;

/** `inmesh top [SERVICE]`. */
export const command: Command = declare({
  description:
    "Shows what a running process calls, as inmesh stat does, again every second; it waits for a process that restarts. q ends it.\nWith SERVICE: its endpoints. With -o json a line for each second, for programs.",
  positionals: ["[SERVICE]"],
  options,
  examples: ["inmesh top", "inmesh top orders -o wide", "inmesh top --admin http://127.0.0.1:7412 -o json | jq .services"],
  run,
});

/** One second of what is shown. */
interface Moment {
  readonly snapshot: MeshSnapshot;
  /** The service that was asked for; `null` where the process has not called it, and absent where none was asked for. */
  readonly service?: ServiceSnapshot | null;
}

// Over 60 lines: one loop of a command, whose parts share the screen and the end.
async function run({ values, positionals: [name], terminal, io }: Call<typeof options>): Promise<number> {
  const client = await adminClient(values, io, terminal);
  const isJson = terminal.format === "json";
  if (!isJson && !terminal.isInteractive) throw new UsageError("top needs a terminal; inmesh stat does not, and top -o json writes lines");
  // Before the alternate screen is opened, so that an error of the address stays visible.
  let last = await momentOf(client, await client.mesh(), name);
  const ending = new AbortController();
  const onAbort = (): void => ending.abort();
  io.signal.addEventListener("abort", onAbort, { once: true });
  let code: number = exitCodes.ok;
  const screen = isJson
    ? undefined
    : new FullScreen(io, (how) => {
        if (how === "interrupt") code = exitCodes.interrupted;
        ending.abort();
      });
  try {
    screen?.show(pictureOf(last, "", terminal));
    while (!ending.signal.aborted) {
      let trouble = "the process has ended the connection";
      try {
        for await (const snapshot of client.events(ending.signal)) {
          // The client's own signal is the limit of the first answers.
          const moment = await momentOf(client, snapshot, name, ending.signal);
          if (isJson) await terminal.json(moment.service === undefined ? snapshot : moment.service, true);
          screen?.show(pictureOf(moment, "", terminal));
          // Kept only after it was shown: a snapshot that cannot be shown is not tried again.
          last = moment;
        }
      } catch (error) {
        trouble = describeError(error);
      }
      if (ending.signal.aborted) break;
      if (isJson) terminal.note(`${trouble}; trying again`);
      screen?.show(pictureOf(last, `${trouble}; trying again`, terminal));
      await waitFor(reconnectMs, ending.signal);
    }
  } finally {
    io.signal.removeEventListener("abort", onAbort);
    ending.abort();
    screen?.close();
  }
  return code;
}

async function momentOf(client: AdminClient, snapshot: MeshSnapshot, name: string | undefined, signal?: AbortSignal): Promise<Moment> {
  return name === undefined ? { snapshot } : { snapshot, service: (await client.service(name, signal)) ?? null };
}

/** The lines of `top` for a moment, escaped. */
export function pictureOf({ snapshot, service }: Moment, trouble: string, terminal: Terminal): readonly string[] {
  const { process, services } = snapshot;
  const { pid, node, uptimeS, zone } = process;
  const head = `process ${pid}, up ${uptimeS.toFixed(0)} s, Node ${node}${zone === null ? "" : `, zone ${zone}`}; ${services.length} services`;
  const told = trouble || registryTrouble(snapshot) || "";
  return [
    ...wrapped(plain(head), terminal.width()).map((line) => terminal.style("bold", line)),
    stripLine(snapshot, terminal),
    ...(told === ""
      ? [terminal.style("dim", "q ends it")]
      : wrapped(plain(told), terminal.width()).map((line) => terminal.style("yellow", line))),
    "",
    ...(service === undefined
      ? [
          ...table(serviceColumns(terminal), byHealth(services), terminal.format === "wide", terminal.width()),
          ...linesOfCanaries(snapshot.canaries, terminal),
        ]
      : linesOfService(service, terminal)),
  ];
}

function linesOfService(service: ServiceSnapshot | null, terminal: Terminal): readonly string[] {
  if (service === null) return ["the process has not called this service yet"];
  const isWide = terminal.format === "wide";
  const endpoints = table(endpointRowColumns(terminal), service.endpointRows, isWide, terminal.width());
  return [
    ...table(serviceColumns(terminal), [service], isWide, terminal.width()),
    ...linesOfCanaries(service.canaries, terminal),
    "",
    ...endpoints,
  ];
}

/** A process of an earlier version says nothing of them. */
function linesOfCanaries(canaries: readonly CanaryRow[] | undefined, terminal: Terminal): readonly string[] {
  if (canaries === undefined || canaries.length === 0) return [];
  return ["", ...table(canaryColumns(terminal), canariesByHealth(canaries), terminal.format === "wide", terminal.width())];
}
