import { join } from "node:path";
import commonjs from "@rollup/plugin-commonjs";
import json from "@rollup/plugin-json";
import nodeResolve from "@rollup/plugin-node-resolve";
import { build as esbuild } from "esbuild";
import { rolldown } from "rolldown";
import { type Plugin, rollup } from "rollup";
import webpack from "webpack";

/** Their types say that they are namespaces. */
const [findPackages, fromCommonJs, fromJson] = [nodeResolve, commonjs, json] as unknown as readonly [
  (options: { readonly preferBuiltins: boolean }) => Plugin,
  () => Plugin,
  () => Plugin,
];

/** Bundles the program `input` into the one file `output`, as docs/guides/bundling.md says. Resolves with the warnings. */
export type Bundle = (input: string, output: string, format: "esm" | "cjs") => Promise<readonly string[]>;

/** In ES modules `require` is made by hand: the CommonJS of packages calls it for Node's own modules. */
export const requireBanner =
  'import { createRequire as requireOfBundle } from "node:module"; const require = requireOfBundle(import.meta.url);';

/** Each bundler by its name. */
export const bundlers: Readonly<Record<string, Bundle>> = {
  async esbuild(input, output, format) {
    const { warnings } = await esbuild({
      entryPoints: [input],
      outfile: output,
      bundle: true,
      platform: "node",
      format,
      // Names of classes and functions are others in it.
      minify: true,
      logLevel: "silent",
      ...(format === "esm" ? { banner: { js: requireBanner } } : {}),
    });
    return warnings.map(({ text }) => text);
  },

  async webpack(input, output, format) {
    const compiler = webpack({
      mode: "production",
      target: "node22",
      entry: input,
      // It would take most of the time.
      optimization: { minimize: false },
      output: {
        path: join(output, ".."),
        filename: output.slice(join(output, "..").length + 1),
        ...(format === "esm" ? { module: true, chunkFormat: "module", library: { type: "module" } } : { library: { type: "commonjs2" } }),
      },
      ...(format === "esm" ? { experiments: { outputModule: true } } : {}),
    });
    const stats = await new Promise<webpack.Stats>((resolve, reject) => {
      compiler?.run((error, found) => (found === undefined ? reject(error) : resolve(found)));
    });
    await new Promise((resolve) => compiler?.close(resolve));
    const { errors = [], warnings = [] } = stats.toJson({ all: false, errors: true, warnings: true });
    if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("\n"));
    return warnings.map(({ message }) => message);
  },

  async rollup(input, output, format) {
    const warnings: string[] = [];
    await using build = await rollup({
      input,
      plugins: [findPackages({ preferBuiltins: true }), fromCommonJs(), fromJson()],
      onwarn: ({ message }) => warnings.push(message),
    });
    await build.write({ file: output, format, inlineDynamicImports: true });
    return warnings;
  },

  async rolldown(input, output, format) {
    const warnings: string[] = [];
    await using build = await rolldown({ input, platform: "node", onLog: (_level, { message }) => warnings.push(message) });
    await build.write({ file: output, format, codeSplitting: false });
    return warnings;
  },
};
