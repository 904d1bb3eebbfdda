// npm run demo: `inmesh demo` from the sources; with --registry on a real server, built and started by the code of the tests.
import { command as declare } from "../src/cli/command.ts";
import { commands } from "../src/cli/commands.ts";
import { demoOptions } from "../src/cli/demo/demo-options.ts";
import { runDemo } from "../src/cli/demo/run-demo.ts";
import { main } from "../src/cli/main.ts";
import { readWhole } from "../src/cli/option-values.ts";
import { registryNames, startRegistry } from "./registry.ts";
import { runWeights } from "./weights/run-weights.ts";

const command = declare({
  description: "The demo of inmesh, on a registry of your choice.",
  positionals: [],
  options: {
    ...demoOptions,
    registry: { type: "string", value: "NAME", choices: registryNames, help: "The registry; all but `memory` are real servers." },
    weights: { type: "boolean", help: "Shows how shares follow what instances of different size report, in 20 s." },
  },
  examples: ["npm run demo -- --registry consul", "npm run demo -- --weights"],
  run: ({ values, terminal, io }) => {
    const { registry = "memory" } = values;
    if (values.weights === true) {
      const seconds = values.seconds === undefined ? 20 : readWhole("seconds", values.seconds, 1, 86_400);
      return runWeights({ terminal, io, seconds, file: values.json });
    }
    return runDemo({ values, terminal, io, registryName: registry, startRegistry: () => startRegistry(registry) });
  },
});

await main(["demo", ...process.argv.slice(2)], new Map([...commands, ["demo", { summary: "", load: async () => ({ command }) }]]));
