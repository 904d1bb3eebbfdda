import { execFile } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

/** A package and the sum of its files. */
export interface InstalledPackage {
  readonly name: string;
  readonly bytes: number;
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/**
 * The packages that `npm install` of the package at `root` brings: the package as npm packs it (`dist` must be built), and every dependency and
 * peer that is not optional, with theirs.
 */
export async function installedBytes(root: string): Promise<readonly InstalledPackage[]> {
  const { stdout } = await promisify(execFile)("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: root });
  const packed = (JSON.parse(stdout) as readonly { readonly unpackedSize: number }[])[0];
  const found = new Map<string, InstalledPackage>();
  const add = (directory: string): void => {
    for (const name of needed(manifestOf(directory))) {
      // A nested version, or the one at the root.
      const nested = join(directory, "node_modules", name);
      const at = exists(nested) ? nested : join(root, "node_modules", name);
      if (found.has(at)) continue;
      found.set(at, { name, bytes: sizeOf(at) });
      add(at);
    }
  };
  add(root);
  return [{ name: "inmesh", bytes: packed?.unpackedSize ?? 0 }, ...found.values()];
}

function manifestOf(directory: string): Manifest {
  return JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as Manifest;
}

function needed({ dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} }: Manifest): readonly string[] {
  return [...Object.keys(dependencies), ...Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true)];
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function sizeOf(directory: string): number {
  let bytes = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    // Nested packages have rows of their own.
    if (entry.isDirectory()) bytes += entry.name === "node_modules" ? 0 : sizeOf(path);
    else bytes += statSync(path).size;
  }
  return bytes;
}
