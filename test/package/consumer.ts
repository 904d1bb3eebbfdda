import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

/** The root of this repository. */
export const root: string = join(import.meta.dirname, "../..");

/** What `npm pack` says of the tarball it made. */
export interface Tarball {
  readonly file: string;
  /** In bytes. */
  readonly size: number;
  readonly paths: readonly string[];
}

/** A project of its own that has installed the tarball, in a directory that sees nothing of this repository. */
export interface Consumer extends AsyncDisposable {
  readonly directory: string;
  /** Runs a program in it. A run that takes longer than `timeoutMs` (20 s) is killed and has the code `null`. */
  run(program: string, args: readonly string[], timeoutMs?: number): Promise<Run>;
}

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Manifest {
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** Packs the package as it would be published, with the `dist` that is there. */
export async function pack(directory: string): Promise<Tarball> {
  const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", directory];
  const { stdout } = await promisify(execFile)("npm", args, { cwd: root, maxBuffer: 1 << 24 });
  const [packed] = JSON.parse(stdout) as [{ filename: string; size: number; files: readonly { path: string }[] }];
  return { file: join(directory, packed.filename), size: packed.size, paths: packed.files.map(({ path }) => path) };
}

/**
 * Installs the tarball, what it says it depends on and the packages `also` into a new project with the given files. The
 * dependencies are links to this repository's own, so that no test needs a registry: one that is not declared is missing.
 */
export async function install(tarball: Tarball, also: readonly string[], files: Readonly<Record<string, string>>): Promise<Consumer> {
  const directory = await mkdtemp(join(tmpdir(), "inmesh-consumer-"));
  const modules = join(directory, "node_modules");
  await mkdir(modules);
  await promisify(execFile)("tar", ["-xzf", tarball.file, "-C", modules]);
  await rename(join(modules, "package"), join(modules, "inmesh"));
  const manifest = JSON.parse(await readFile(join(modules, "inmesh/package.json"), "utf8")) as Manifest;
  for (const name of new Set([...installedWith(manifest), ...also])) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(root, "node_modules", name), join(modules, name), "junction");
  }
  await mkdir(join(modules, ".bin"));
  for (const [name, path] of Object.entries(manifest.bin ?? {})) await symlink(join("../inmesh", path), join(modules, ".bin", name));
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return {
    directory,
    run: (program, args, timeoutMs = 20_000) => runIn(directory, program, args, timeoutMs),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

/** What npm installs beside the package without being asked: its dependencies and the peers that are not optional. */
function installedWith({ dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} }: Manifest): readonly string[] {
  const peers = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true);
  return [...Object.keys(dependencies), ...peers];
}

function runIn(cwd: string, program: string, args: readonly string[], timeout: number): Promise<Run> {
  // Nothing of how the tests are run reaches the program.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NODE_|VITEST|npm_)/i.test(name)));
  return new Promise((resolve) => {
    const child = execFile(program, args, { cwd, env, timeout, killSignal: "SIGKILL" }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}
