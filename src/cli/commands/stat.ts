import { canariesByHealth, evidenceText } from "../../admin/health/canaries.ts";
import { byHealth } from "../../admin/health/health.ts";
import { identityTrouble } from "../../admin/health/identity.ts";
import { registryTrouble } from "../../admin/health/strip.ts";
import type { CanaryRow } from "../../admin/routes/canary-row.ts";
import type { MeshSnapshot } from "../../admin/snapshot.ts";
import { reasonsText } from "../../core/left-out.ts";
import { nearestName } from "../../suggestions/nearest-name.ts";
import { adminClient, adminOptions } from "../admin/admin-client.ts";
import { canaryColumns } from "../admin/canary-columns.ts";
import { routeColumns, routeLineRows } from "../admin/route-columns.ts";
import { endpointRowColumns, serviceColumns, stripLine } from "../admin/service-columns.ts";
import { type Command, command as declare } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatOption } from "../option-table.ts";
import { suggestionOf } from "../registry/likely-name.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { UsageError } from "../usage-error.ts";

/** `inmesh stat [SERVICE]`. */
export const command: Command = declare({
  description:
    "Shows what a running process calls, from its admin server (inmesh/admin). SUCCESS is the share of calls that succeeded, as the callers saw\nit; ACTUAL that of attempts, before retries made up for failures. With SERVICE: its endpoints. With --routes: the rules that calls are routed by, and their canaries.",
  positionals: ["[SERVICE]"],
  options: {
    ...adminOptions,
    routes: { type: "boolean", help: "The rules of the routes in force: their calls, the shares of their targets, copies and faults." },
    ...formatOption,
  },
  examples: ["inmesh stat", "inmesh stat --routes", "inmesh stat orders --admin http://127.0.0.1:7412 -o wide"],
  async run({ values, positionals: [service], terminal, io }) {
    const client = await adminClient(values, io, terminal);
    if (values.routes === true) {
      if (service !== undefined) throw new UsageError("stat --routes takes no SERVICE: a rule may be for several");
      return showRoutes(await client.mesh(), terminal);
    }
    if (service === undefined) {
      const snapshot = await client.mesh();
      if (terminal.format === "json") await terminal.json(snapshot);
      else if (snapshot.services.length > 0) {
        // A program that reads the table finds its titles first.
        if (terminal.isInteractive) await terminal.lines([stripLine(snapshot, terminal), ""]);
        await terminal.table(serviceColumns(terminal), byHealth(snapshot.services));
        tellOfCanaries(snapshot.canaries, terminal);
        for (const trouble of [registryTrouble(snapshot), identityTrouble(snapshot)])
          if (trouble !== undefined) terminal.note(trouble, "yellow");
      } else {
        const strip = stripLine(snapshot, terminal);
        if (strip !== "") await terminal.lines([strip]);
        terminal.note("the process has called no service yet");
      }
      return exitCodes.ok;
    }
    const snapshot = await client.service(service);
    if (snapshot === undefined) {
      const called = (await client.mesh()).services.map((row) => row.service);
      terminal.note(`the process has not called ${JSON.stringify(service)}${suggestionOf(nearestName(service, called))}`);
      return exitCodes.nothing;
    }
    if (terminal.format === "json") await terminal.json(snapshot);
    else {
      await terminal.table(serviceColumns(terminal), [snapshot]);
      await showCanaries(snapshot.canaries, terminal);
      await terminal.line("");
      await terminal.table(endpointRowColumns(terminal), snapshot.endpointRows);
      if (snapshot.discoveryError !== null) terminal.note(`discovery: ${snapshot.discoveryError}`, "yellow");
      if (snapshot.leftOut?.length > 0) terminal.note(`left out: ${reasonsText(snapshot.leftOut)}`, "yellow");
      // An older process says nothing of them.
      for (const { id, address, reason } of snapshot.outside ?? []) terminal.note(`not called: ${id} at ${address}: ${reason}`, "yellow");
    }
    return exitCodes.ok;
  },
});

async function showRoutes({ routes = [], canaries }: Pick<MeshSnapshot, "routes" | "canaries">, terminal: Terminal): Promise<number> {
  if (terminal.format === "json") await terminal.json(routes);
  else if (routes.length > 0) {
    await terminal.table(routeColumns(terminal), routeLineRows(routes));
    await showCanaries(canaries, terminal);
  } else terminal.note("the process has no routes");
  return exitCodes.ok;
}

/** A process of an earlier version says nothing of canaries. */
async function showCanaries(canaries: readonly CanaryRow[] | undefined, terminal: Terminal): Promise<void> {
  if (canaries === undefined || canaries.length === 0) return;
  await terminal.line("");
  await terminal.table(canaryColumns(terminal), canariesByHealth(canaries));
}

/** Those that were rolled back: beside the table, which a program may read. */
function tellOfCanaries(canaries: readonly CanaryRow[] | undefined, terminal: Terminal): void {
  for (const canary of canaries ?? [])
    if (canary.state === "rolled-back") terminal.note(`canary of ${canary.rule} rolled back: ${evidenceText(canary)}`, "yellow");
}
