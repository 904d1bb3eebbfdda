// A process: node import-process.ts MODE SPECIFIER... Prints the CPU of importing them in microseconds, and with the mode `packages` the packages
// that this loads.
import { registerHooks } from "node:module";
import { cpuMicros } from "./children.ts";

const [mode, ...specifiers] = process.argv.slice(2);
const packages = new Set<string>();
if (mode === "packages") {
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(resolved.url)?.[1];
      // The packages that the mesh imports itself, without those that these import in turn.
      if (name !== undefined && !/\/node_modules\//.test(context.parentURL ?? "")) packages.add(name);
      return resolved;
    },
  });
}
const micros = await cpuMicros(async () => {
  for (const specifier of specifiers) await import(specifier);
});
console.log(JSON.stringify({ micros, packages: [...packages] }));
