import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { endWithUs } from "./end-with-us.ts";
import { withLock } from "./lock.ts";
import { recipes, type ServerName } from "./recipes.ts";

/** The directory in the user's cache that holds this build of a server, whether it exists or not. */
export const cacheDirectory = (name: ServerName): string => {
  const { versionFiles, revision } = recipes[name];
  const hash = createHash("sha256").update(`${process.platform} ${process.arch} ${revision}`);
  for (const file of versionFiles) hash.update(`\0${file}\0`).update(readFileSync(join(import.meta.dirname, file)));
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(cache, "inmesh", "servers", `${name}-${hash.digest("hex").slice(0, 16)}`);
};

/** Whether a server is built; a directory in place is always a whole build. */
export const isBuilt = (name: ServerName): boolean => existsSync(cacheDirectory(name));

const abandonedAfterMs = 3_600_000;

const removeAbandoned = async (directory: string): Promise<void> => {
  const parent = dirname(directory);
  for (const entry of await readdir(parent)) {
    if (!entry.startsWith(`${basename(directory)}.partial-`)) continue;
    const path = join(parent, entry);
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > abandonedAfterMs) await rm(path, { recursive: true, force: true });
  }
};

/**
 * Builds a server into the cache unless it is there, and returns its directory. `build` fills a directory of its own,
 * which is renamed into place only when it is whole: no other process ever sees half a build, and of two builds at the
 * same time (which the lock avoids but does not promise to) the first one stays.
 */
export const buildOnce = async (
  name: ServerName,
  build: (directory: string) => Promise<void>,
  onWait: (message: string) => void = () => {},
): Promise<string> => {
  const directory = cacheDirectory(name);
  if (existsSync(directory)) return directory;
  await mkdir(dirname(directory), { recursive: true });
  await withLock(
    `${directory}.lock`,
    async () => {
      if (existsSync(directory)) return;
      await removeAbandoned(directory);
      const partial = `${directory}.partial-${process.pid}-${Date.now()}`;
      await mkdir(partial);
      const forget = endWithUs(() => rmSync(partial, { recursive: true, force: true }));
      try {
        await build(partial);
        await rename(partial, directory).catch((error: unknown) => {
          if (!existsSync(directory)) throw error;
        });
      } finally {
        await rm(partial, { recursive: true, force: true });
        forget();
      }
    },
    onWait,
  );
  return directory;
};
