import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";

/** Tests in a checkout of undici: those of fetch, or those of everything else that a dispatcher may be used for. */
export interface Suite {
  readonly root: string;
  /** The folder that the names of files are relative to. */
  readonly directory: string;
  readonly version: string;
  /** Hash of the names and contents of the test files: the same in checkouts with the same tests. */
  readonly digest: string;
  /** Absolute paths, sorted. */
  readonly files: readonly string[];
}

/** Folders without tests, and tests of parsers and caches, for which there is no request. */
const withoutRequests: ReadonlySet<string> = new Set([
  "autobahn",
  "busboy",
  "cache",
  "cache-interceptor",
  "cookie",
  "fetch",
  "fixtures",
  "fuzzing",
  "imports",
  "infra",
  "jest",
  "node-fetch",
  "subresource-integrity",
  "types",
  "utils",
  "web-platform-tests",
  "webidl",
]);

/** Finds the tests of fetch in `path`, a checkout or its `test/fetch`. */
export function fetchSuite(path: string): Suite {
  return suiteOf(path, "test/fetch", (name) => !name.includes(sep));
}

/** Finds the tests in `path`, a checkout, of what a dispatcher is used for. */
export function dispatcherSuite(path: string): Suite {
  return suiteOf(path, "test", (name) => !withoutRequests.has(name.split(sep)[0] as string) && !name.includes(`${sep}fixtures${sep}`));
}

/** @throws Error when the path is no checkout */
function suiteOf(path: string, folder: string, isTest: (name: string) => boolean): Suite {
  const given = resolve(path);
  const root = given.endsWith(join("test", "fetch")) ? resolve(given, "../..") : given;
  const directory = join(root, folder);
  if (!existsSync(directory) || !existsSync(join(root, "index.js")))
    throw new Error(`${path} is not a checkout of undici: it has no index.js or no ${folder}`);
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".js") && isTest(name))
    .sort()
    .map((name) => join(directory, name));
  const digest = createHash("sha256");
  for (const file of files) digest.update(`${relative(directory, file)}\0`).update(readFileSync(file));
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  return { root, directory, version, digest: digest.digest("hex").slice(0, 16), files };
}
