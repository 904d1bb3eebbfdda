import { type Command, command as declare } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { showExplanation } from "../explanation-view.ts";
import { lookUp } from "../lookup.ts";
import { formatOption } from "../option-table.ts";
import { readDuration } from "../option-values.ts";
import { likelyName, suggestionOf } from "../registry/likely-name.ts";
import { registryOptions, timeoutOption } from "../registry/registry-options.ts";
import { registrySource } from "../registry/registry-source.ts";

/** `inmesh explain SERVICE`. */
export const command: Command = declare({
  description:
    "Makes a mesh, looks the service up and shows which endpoints the mesh would choose from, and why, as mesh.explain(service) reports it.",
  positionals: ["SERVICE"],
  options: { ...registryOptions, ...timeoutOption, ...formatOption },
  examples: ["inmesh explain orders", "inmesh explain orders --dns '{service}.service.consul' --dns-server 127.0.0.1:8600"],
  async run({ values, positionals: [service = ""], terminal, io }) {
    const timeoutMs = readDuration("timeout", values.timeout ?? "5s");
    const { discovery } = await registrySource(values, io, terminal);
    return lookUp(discovery, service, { timeoutMs, signal: io.signal }, async ({ mesh, update }) => {
      const explanation = mesh.explain(update.service);
      if (terminal.format === "json") await terminal.json(explanation);
      else if (explanation !== undefined) await showExplanation(explanation, terminal);
      if (update.endpoints.length > 0) return exitCodes.ok;
      const likely = await likelyName(discovery, update.service, io.signal);
      if (likely !== undefined) terminal.note(`${JSON.stringify(service)} has no endpoint${suggestionOf(likely)}`);
      return exitCodes.nothing;
    });
  },
});
