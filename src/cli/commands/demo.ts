import { type Command, command as declare } from "../command.ts";
import { demoOptions } from "../demo/demo-options.ts";
import { memoryDemoRegistry } from "../demo/demo-registry.ts";
import { runDemo } from "../demo/run-demo.ts";

/** `inmesh demo`. */
export const command: Command = declare({
  description:
    "Starts three instances of a toy service on this machine and calls them through a mesh, while one of them is killed and another one\nbecomes slow. No GET fails. Needs no server; Ctrl-C ends everything it has started. --admin serves the live page meanwhile.",
  positionals: [],
  options: demoOptions,
  examples: ["inmesh demo", "inmesh demo --forever --admin"],
  run: ({ values, terminal, io }) =>
    runDemo({ values, terminal, io, registryName: "memory", startRegistry: async () => memoryDemoRegistry() }),
});
