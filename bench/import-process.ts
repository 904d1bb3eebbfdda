// A process: node import-process.ts SPECIFIER... Says what importing them costs, in microseconds of CPU, and which packages that loads.
import { registerHooks } from "node:module";
import { cpuMicros } from "./children.ts";

const [mode, ...specifiers] = process.argv.slice(2);
const packages = new Set<string>();
if (mode === "packages") {
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(resolved.url)?.[1];
      // Those that the mesh asks for itself: what these need in turn comes with them.
      if (name !== undefined && !/\/node_modules\//.test(context.parentURL ?? "")) packages.add(name);
      return resolved;
    },
  });
}
const micros = await cpuMicros(async () => {
  for (const specifier of specifiers) await import(specifier);
});
console.log(JSON.stringify({ micros, packages: [...packages] }));
