import { addressOf } from "../../core/endpoint.ts";
import { describeError } from "../../core/errors.ts";
import { type Command, command as declare } from "../command.ts";
import { differencesOf, type EndpointChange, EndpointChanges } from "../endpoint-changes.ts";
import { exitCodes } from "../exit-codes.ts";
import { watchingMesh } from "../lookup.ts";
import { formatOption } from "../option-table.ts";
import { readDuration } from "../option-values.ts";
import { likelyName, suggestionOf } from "../registry/likely-name.ts";
import { registryOptions } from "../registry/registry-options.ts";
import { registrySource } from "../registry/registry-source.ts";
import { plain } from "../terminal/plain.ts";
import type { Style } from "../terminal/terminal.ts";
import { goesOn, wrapped } from "../terminal/wrap.ts";
import { waitFor } from "../wait.ts";

/** A line of `inmesh watch SERVICE -o json`. */
export interface WatchEvent extends EndpointChange {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly service: string;
}

const styles: Readonly<Record<EndpointChange["event"], Style>> = {
  added: "green",
  removed: "red",
  changed: "cyan",
  quarantine: "yellow",
  confirmed: "green",
  rejected: "yellow",
  error: "red",
};

/** `inmesh watch SERVICE`. */
export const command: Command = declare({
  description:
    "Shows the endpoints of a service and each change as a mesh sees it, until Ctrl-C: added, removed and changed endpoints, errors of\ndiscovery, and answers held in quarantine. One line each, with -o json as JSON.",
  positionals: ["SERVICE"],
  options: {
    ...registryOptions,
    for: { type: "string", value: "TIME", help: "Ends after this time, with exit code 0. Default: never." },
    ...formatOption,
  },
  examples: ["inmesh watch orders", "inmesh watch orders --file endpoints.yaml -o json --for 1m"],
  async run({ values, positionals: [service = ""], terminal, io }) {
    const forMs = values.for === undefined ? undefined : readDuration("for", values.for);
    const { discovery } = await registrySource(values, io, terminal);
    // Lines are written one after another, while discovery does not wait for the terminal.
    let written = Promise.resolve();
    const tell = (change: EndpointChange): void => {
      const time = new Date().toISOString();
      written = written.then(() => {
        if (terminal.format === "json") return terminal.json({ time, service, ...change } satisfies WatchEvent, true);
        const [at, what] = [`${time.slice(11, 23)}  `, change.event.padEnd(10)];
        const lead = " ".repeat(at.length + what.length + 2) + goesOn;
        const [first = "", ...more] = wrapped(`${at}${what}  ${plain(detailOf(change))}`, terminal.width(), lead);
        return terminal.lines([at + terminal.style(styles[change.event], what) + first.slice(at.length + what.length), ...more]);
      });
      written.catch(() => {});
    };
    const changes = new EndpointChanges(tell);
    let lastError = "";
    let isSuggested = false;
    const suggest = async (name: string): Promise<void> => {
      isSuggested = true;
      const likely = await likelyName(discovery, name, io.signal);
      if (likely !== undefined) terminal.note(`${JSON.stringify(name)} has no endpoint${suggestionOf(likely)}`);
    };
    const mesh = watchingMesh(discovery, service, {
      onEvent(event) {
        if (event.type === "endpoints") {
          lastError = "";
          changes.update(event);
          if (event.endpoints.length === 0 && !isSuggested) void suggest(event.service);
        } else if (event.type === "discovery-error") {
          const message = describeError(event.error);
          // Discovery is retried for ever: the same error is told once.
          if (message !== lastError) tell({ event: "error", message });
          lastError = message;
        }
      },
    });
    try {
      await waitFor(forMs, io.signal);
    } finally {
      await mesh.close();
    }
    await written;
    return exitCodes.ok;
  },
});

function detailOf({ endpoint, before, message = "" }: EndpointChange): string {
  if (endpoint === undefined) return message;
  return [endpoint.id, addressOf(endpoint), ...(before === undefined ? [] : differencesOf(before, endpoint))].join("  ");
}
