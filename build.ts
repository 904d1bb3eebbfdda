// npm run build: writes dist, the package as users get it. Declarations are one file each, by the compiler; the code is one file for each
// entry of the package and three that they share, because a file per module makes an import a tenth dearer.
import { execFile } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { type Plugin, rolldown } from "rolldown";
import { pageNames } from "./src/admin/built-page.ts";

const root = import.meta.dirname;
const dist = join(root, "dist");

interface Manifest {
  readonly name: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;

/** The source of every entry that package.json exports, by its path in `dist` without an ending. */
function entries(): Record<string, string> {
  const names = Object.values(manifest.exports).flatMap((path) => /^\.\/dist\/(.+)\.js$/.exec(path)?.[1] ?? []);
  return Object.fromEntries(names.map((name) => [name, join(root, "src", `${name}.ts`)]));
}

/** Looks at the version of Node; each entry imports it before all else. The program `inmesh` looks by itself. */
const guard = "chunks/require-node";

/** An import of one of Node's own modules, as the bundler writes it: in a line of its own, its names in braces or its whole by one name. */
const builtinImport = /^import (?:\{ (.+) \}|([\w$]+)) from ("node:.+");$/gm;

/**
 * The same by `process.getBuiltinModule`. An import statement has Node make a module of all that the builtin exports, and evaluate getters that
 * load more of Node (`util.parseArgs`, `fs.ReadStream`, `crypto.webcrypto`): a twentieth of what a process costs up to its first call. `code` is
 * the file's.
 */
function withoutFacade(code: string, names: string | undefined, whole: string | undefined, builtin: string): string {
  const at = `process.getBuiltinModule(${builtin})`;
  if (names === undefined) return `const ${whole} = ${at};`;
  if (!lateBuiltins.has(builtin)) return `const { ${names.replaceAll(" as ", ": ")} } = ${at};`;
  return names
    .split(", ")
    .map((name) => {
      const [exported = name, local = exported] = name.split(" as ");
      const isCalledOnly =
        typeof builtinOf(builtin)[exported] === "function" &&
        !new RegExp(`(?:new|instanceof|extends) ${local.replaceAll("$", "\\$")}\\b`).test(code);
      if (isCalledOnly) return `let ${local} = (...values) => (${local} = ${at}.${exported})(...values);`;
      return `const { ${exported === local ? local : `${exported}: ${local}`} } = ${at};`;
    })
    .join("\n");
}

/**
 * Builtins that few programs use before their first request, and that take Node one to ten milliseconds to load each: a function of them loads
 * them when it is called first, and is theirs from then on.
 */
const lateBuiltins = new Set(['"node:dgram"', '"node:fs/promises"', '"node:http2"', '"node:tls"', '"node:zlib"']);

function builtinOf(literal: string): Readonly<Record<string, unknown>> {
  return process.getBuiltinModule(JSON.parse(literal) as string) as never;
}

/**
 * Rewrites a file of code: V8 keeps a text with a single other character than ASCII in two bytes for each, and takes longer to read it. With
 * `isGuarded`, the guard is imported first.
 */
function finish(fileName: string, isGuarded: boolean): void {
  const path = join(dist, fileName);
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  const code = readFileSync(path, "utf8").replace(/[^\0-\x7f]/g, escaped);
  const up = relative(dirname(fileName), ".").split(sep).join("/") || ".";
  const [hashbang = ""] = /^#!.*\n/.exec(code) ?? [];
  const placed = code
    .replaceAll(`"${loaderScheme}`, `"${up}/packages/`)
    .replace(builtinImport, (_line, names, whole, builtin) => withoutFacade(code, names, whole, builtin));
  writeFileSync(path, isGuarded ? `${hashbang}import "${up}/${guard}.js";${placed.slice(hashbang.length)}` : placed);
}

/**
 * Leaves the files that load a package by `require` as they are, in `dist/packages`: a bundler that packs an application sees a `require` of
 * CommonJS, and none by `createRequire`. Those that a client loads are one file there, since Node takes a third of a millisecond for each.
 */
const loaderScheme = "loader:";
const ofClients = ["undici", "opossum", "semver", "re2js", "fastest-levenshtein", "dns-packet"];
const loaderOfClients = "of-every-client.cjs";

const loaderPaths = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".cjs"))
  .map((path) => join(root, "src", path))
  .sort();

/** Whether a file loads a package of every client. */
function isOfClients(path: string): boolean {
  const packages = [...readFileSync(path, "utf8").matchAll(/\brequire\("((?:@[^/"]+\/)?[^/"]+)/g)].map(([, name = ""]) => name);
  return packages.length > 0 && packages.every((name) => ofClients.includes(name));
}

/** The name under which one file of many exports what another did. */
function nameInOne(path: string): string {
  return basename(path, ".cjs").replaceAll(/-(.)/g, (_dash, letter: string) => letter.toUpperCase());
}

const loaders: Plugin = {
  name: "loaders",
  resolveId(id, importer) {
    if (id.startsWith(loaderScheme)) return { id, external: true };
    if (!id.endsWith(".cjs")) return null;
    const path = resolve(dirname(importer ?? root), id);
    return isOfClients(path) ? { id: `${path}.js` } : { id: `${loaderScheme}${basename(id)}`, external: true };
  },
  load(id) {
    if (!id.endsWith(".cjs.js")) return null;
    const path = id.slice(0, -".js".length);
    const names = new Set([...readFileSync(path, "utf8").matchAll(/^exports\.(\w+) =/gm)].map(([, name]) => name));
    const taken = [...names].map((name) => `export const ${name} = ${nameInOne(path)}.${name};`);
    return [`import { ${nameInOne(path)} } from "${loaderScheme}${loaderOfClients}";`, ...taken].join("\n");
  },
};

/** Writes those files, and says which. */
function copyLoaders(): readonly string[] {
  mkdirSync(join(dist, "packages"), { recursive: true });
  const single = loaderPaths.filter((path) => !isOfClients(path));
  for (const path of single) copyFileSync(path, join(dist, "packages", basename(path)));
  const together = loaderPaths.filter(isOfClients).map((path) => {
    const text = readFileSync(path, "utf8").trimEnd();
    return `exports.${nameInOne(path)} = (() => {\nconst exports = {};\n${text}\nreturn exports;\n})();\n`;
  });
  writeFileSync(join(dist, "packages", loaderOfClients), together.join("\n"));
  return [...single.map((path) => basename(path)), loaderOfClients].map((name) => `packages/${name}`);
}

/** Puts the texts of the live page in the place of the file that reads them. */
const pageAsText: Plugin = {
  name: "page-as-text",
  load(id) {
    if (id !== join(root, "src/admin/built-page.ts")) return null;
    const texts = Object.fromEntries(pageNames.map((name) => [name, readFileSync(join(dist, "admin/page", name), "utf8")]));
    return `const texts = ${JSON.stringify(texts)};\nexport function builtPage() { return texts; }`;
  },
};

/** Whether an import is of another package. What the bundler itself adds for syntax newer than the target (`using`) is none: it is put into the file. */
function isPackage(id: string): boolean {
  return !id.startsWith(".") && !isAbsolute(id) && !id.startsWith("@oxc-project/runtime/");
}

/** Writes the code and says which files that made, relative to `dist`. */
async function bundle(): Promise<readonly string[]> {
  const build = await rolldown({
    cwd: root,
    input: { ...entries(), [guard]: join(root, "src/core/node/require-node.ts") },
    platform: "node",
    transform: { target: "es2024" },
    plugins: [loaders, pageAsText],
    // Groups that leave their dependencies to others need it; `test/package/package.test.ts` compares what the entries export.
    preserveEntrySignatures: "allow-extension",
    // Packages stay imports: one copy of each in a process, of the version that the user installed.
    external: isPackage,
  });
  try {
    const { output } = await build.write({
      dir: dist,
      format: "esm",
      // Names without a hash: a build over an older one replaces its files, while somebody may be reading them.
      chunkFileNames: "chunks/[name].js",
      minifyInternalExports: false,
      // Those of what users call are in the declarations.
      comments: false,
      // What two entries use is one copy for both: an error that one of them throws is an instance of the class that another exports.
      codeSplitting: {
        groups: [
          { name: "seams", test: /[\\/]src[\\/](core|discovery)[\\/](?!(?:dns|combined|file)[\\/])/, minShareCount: 2, priority: 3 },
          // `inmesh` and `inmesh/config` share it; a server loads none of it.
          {
            name: "client",
            test: /[\\/]src[\\/](?:balancer[\\/]pickers|discovery[\\/](?:dns|combined|file))[\\/](?!adaptive)/,
            minShareCount: 2,
            priority: 2,
            includeDependenciesRecursively: false,
          },
          // Servers, the registries that hold policies, and configuration in files share it; a client loads none of it.
          {
            name: "rules",
            test: /[\\/]src[\\/](?:authorization|documents)[\\/](?!yaml-thread)/,
            minShareCount: 2,
            priority: 2,
            includeDependenciesRecursively: false,
          },
          // `inmesh/config` and what reads files of others share it; a client loads none of it. In the chunk of a mesh it would import that of its pickers, which
          // imports the mesh's.
          {
            name: "configuration",
            test: /[\\/]src[\\/](?:config|envoy|nginx)[\\/]/,
            minShareCount: 2,
            priority: 2,
            includeDependenciesRecursively: false,
          },
          { name: "mesh", test: /[\\/]src[\\/](?!server[\\/])/, minShareCount: 2, priority: 1 },
          // `inmesh/server` and `inmesh/fastify` share it; a client loads none of it.
          { name: "serving", minShareCount: 2 },
        ],
      },
    });
    const guarded = new Set(Object.keys(entries()).map((name) => `${name}.js`));
    for (const { fileName, type } of output) if (type === "chunk") finish(fileName, guarded.has(fileName));
    return output.map(({ fileName }) => fileName);
  } finally {
    await build.close();
  }
}

/** What is started by itself: the programs of package.json, and the instances of the demo. */
function programs(): Record<string, string> {
  const names = [...Object.values(manifest.bin).flatMap((path) => /^\.\/dist\/(.+)\.js$/.exec(path)?.[1] ?? []), "cli/demo/instance"];
  return Object.fromEntries(names.map((name) => [name, join(root, "src", `${name}.ts`)]));
}

/**
 * Writes the command line, apart from the library: what both share would otherwise be taken out of the entries' own files, and every
 * user would load it. An entry of the package is imported by its public name, so that there is still one copy of each class.
 */
async function bundlePrograms(): Promise<readonly string[]> {
  const names = new Map(
    Object.entries(manifest.exports).map(([subpath, file]) => [
      resolve(root, file.replace("./dist/", "src/").replace(/\.js$/, ".ts")),
      `${manifest.name}${subpath.slice(1)}`,
    ]),
  );
  const build = await rolldown({
    cwd: root,
    input: programs(),
    platform: "node",
    transform: { target: "es2024" },
    external: isPackage,
    plugins: [
      loaders,
      {
        name: "public-names",
        resolveId(id, importer) {
          const name = importer === undefined || !id.startsWith(".") ? undefined : names.get(resolve(dirname(importer), id));
          return name === undefined ? null : { id: name, external: true };
        },
      },
    ],
  });
  try {
    const { output } = await build.write({
      dir: dist,
      format: "esm",
      chunkFileNames: "cli/chunks/[name].js",
      minifyInternalExports: false,
      // It is neither imported nor stepped through it: without white space it is a third smaller. Names stay, for what an error says.
      minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
      comments: false,
    });
    for (const { fileName } of output) finish(fileName, false);
    for (const path of Object.values(manifest.bin)) chmodSync(join(root, path), 0o755);
    return output.map(({ fileName }) => fileName);
  } finally {
    await build.close();
  }
}

/** Writes the live page: its code in one file with what it needs of packages, its styles likewise. Says which files that made. */
async function bundlePage(): Promise<readonly string[]> {
  const [from, to] = [join(root, "src/admin/page"), join(dist, "admin/page")];
  const build = await rolldown({ cwd: root, input: join(from, "main.ts"), platform: "browser", transform: { target: "es2024" } });
  try {
    await build.write({ file: join(to, "page.js"), format: "esm", minify: true, comments: false });
  } finally {
    await build.close();
  }
  mkdirSync(to, { recursive: true });
  // In this order: what is for narrow windows overrides the rest.
  const own = ["colours", "frame", "table", "service", "cards", "graph", "dialog", "narrow"].map((name) => join(from, `${name}.css`));
  const styles = [join(root, "node_modules/uplot/dist/uPlot.min.css"), ...own];
  writeFileSync(join(to, "page.css"), styles.map((path) => readFileSync(path, "utf8")).join("\n"));
  for (const name of ["index.html", "icon.svg"]) copyFileSync(join(from, name), join(to, name));
  return pageNames.map((name) => `admin/page/${name}`);
}

/** Writes the declarations, in a process of its own: what the compiler has against the sources is what it prints. */
async function declare(): Promise<void> {
  await promisify(execFile)(process.execPath, [join(root, "node_modules/.bin/tsc"), "-p", "tsconfig.build.json", "--pretty", "false"], {
    cwd: root,
  });
}

/** The declarations that those of the entries lead to, by their paths without an ending. */
function reachableDeclarations(): ReadonlySet<string> {
  const reached = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    const text = readFileSync(`${path}.d.ts`, "utf8");
    for (const [, specifier = ""] of text.matchAll(/(?:from |import\()"(\.[^"]+)\.ts"/g)) visit(resolve(dirname(path), specifier));
  };
  for (const name of Object.keys(entries())) visit(join(dist, name));
  return reached;
}

/** Takes the declarations away that no user's compiler reads: those of files that only other files of the package use. */
function removeUnreached(): void {
  const reached = reachableDeclarations();
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (path.endsWith(".d.ts") && !reached.has(path.slice(0, -".d.ts".length))) rmSync(path, { force: true });
  }
}

/** Takes away what an earlier build has left: it would still be imported, tested and packed. */
function removeOthers(code: readonly string[]): void {
  const declarations = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter(
      (path) =>
        path.endsWith(".ts") &&
        !path.endsWith(".d.ts") &&
        !path.startsWith(join("admin", "page")) &&
        !path.startsWith(`cli${sep}`) &&
        !path.startsWith(`assets${sep}`),
    )
    .map((path) => path.replace(/\.ts$/, ".d.ts"));
  const wanted = new Set([...declarations, ...code.map((path) => path.split("/").join(sep))]);
  for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !wanted.has(relative(dist, path))) rmSync(path, { force: true });
  }
}

try {
  const page = await bundlePage();
  removeOthers([...page, ...copyLoaders(), ...(await bundle()), ...(await bundlePrograms())]);
  await declare();
  removeUnreached();
} catch (error) {
  const { stdout, message } = error as Error & { stdout?: string };
  console.error(stdout || message);
  process.exitCode = 1;
}
