import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";

/** A checkout of undici with its tests of fetch. */
export interface Suite {
  readonly root: string;
  readonly version: string;
  /** Hash of the names and contents of the test files: the same in checkouts with the same tests. */
  readonly digest: string;
  /** Absolute paths, sorted. */
  readonly files: readonly string[];
}

/**
 * Finds the suite in `path`: a checkout, or its `test/fetch`.
 * @throws Error when the path is neither
 */
export function suiteIn(path: string): Suite {
  const given = resolve(path);
  const root = basename(given) === "fetch" && basename(dirname(given)) === "test" ? dirname(dirname(given)) : given;
  const directory = join(root, "test/fetch");
  if (!existsSync(directory) || !existsSync(join(root, "index.js"))) {
    throw new Error(`${path} is not a checkout of undici: it has no index.js or no test/fetch`);
  }
  const files = readdirSync(directory)
    .filter((name) => name.endsWith(".js"))
    .sort()
    .map((name) => join(directory, name));
  const digest = createHash("sha256");
  for (const file of files) digest.update(`${basename(file)}\0`).update(readFileSync(file));
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  return { root, version, digest: digest.digest("hex").slice(0, 16), files };
}
