import type { LeftOut } from "../../core/left-out.ts";
import { type Command, command as declare } from "../command.ts";
import { type EndpointView, endpointColumns, endpointView } from "../endpoint-view.ts";
import { exitCodes } from "../exit-codes.ts";
import { lookUp } from "../lookup.ts";
import { formatOption } from "../option-table.ts";
import { readDuration } from "../option-values.ts";
import { likelyName, suggestionOf } from "../registry/likely-name.ts";
import { registryOptions, timeoutOption } from "../registry/registry-options.ts";
import { registrySource } from "../registry/registry-source.ts";

/** The JSON of `inmesh endpoints SERVICE -o json`. */
export interface EndpointsReport {
  readonly service: string;
  /** The source: `consul at http://127.0.0.1:8500`. */
  readonly discovery: string;
  /** Milliseconds to the answer. */
  readonly ms: number;
  readonly endpoints: readonly EndpointView[];
  /** Entries of the answer that are not usable as endpoints. */
  readonly rejected: readonly { readonly reason: string; readonly entry: unknown }[];
  /** Entries that the registry lists and that take no calls, or cannot. */
  readonly leftOut: readonly LeftOut[];
}

/** `inmesh endpoints SERVICE`. */
export const command: Command = declare({
  description:
    "Asks the registry for the endpoints of a service, through the same adapter and the same checks as a mesh, and shows what a mesh would\nuse; entries that it would not use are on stderr, with the reason.",
  positionals: ["SERVICE"],
  options: { ...registryOptions, ...timeoutOption, ...formatOption },
  examples: ["inmesh endpoints orders", "inmesh endpoints orders --eureka http://127.0.0.1:8761/eureka -o json"],
  async run({ values, positionals: [service = ""], terminal, io }) {
    const timeoutMs = readDuration("timeout", values.timeout ?? "5s");
    const { discovery } = await registrySource(values, io, terminal);
    const name = discovery.name ?? "discovery";
    terminal.progress(`asking ${name} …`);
    let likely: string | undefined;
    const report = await lookUp(discovery, service, { timeoutMs, signal: io.signal }, async ({ update, ms }): Promise<EndpointsReport> => {
      const endpoints = update.endpoints.map(endpointView).sort((a, b) => (a.id < b.id ? -1 : 1));
      if (endpoints.length === 0) likely = await likelyName(discovery, update.service, io.signal, timeoutMs - ms);
      return { service, discovery: name, ms: Math.round(ms), endpoints, rejected: update.rejected, leftOut: update.leftOut ?? [] };
    });
    terminal.progress();
    if (terminal.format === "json") await terminal.json(report);
    else {
      if (report.endpoints.length > 0) await terminal.table(endpointColumns, report.endpoints);
      for (const { reason, entry } of report.rejected) terminal.note(`not used: ${reason}: ${shown(entry)}`, "yellow");
      for (const { id = "an entry without an id", reason } of report.leftOut) terminal.note(`not used: ${reason}: ${id}`, "yellow");
    }
    if (report.endpoints.length > 0) return exitCodes.ok;
    const only = report.rejected.length + report.leftOut.length > 0 ? " that may be called" : "";
    terminal.note(`${name} lists no endpoint of ${JSON.stringify(service)}${only}${suggestionOf(likely)}`);
    return exitCodes.nothing;
  },
});

const maxShown = 300;

function shown(entry: unknown): string {
  const text = JSON.stringify(entry) ?? String(entry);
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text;
}
