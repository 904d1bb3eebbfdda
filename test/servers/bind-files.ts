import { readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";

const libraryDirectories = async (root: string): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const parent of [join(root, "usr", "lib"), join(root, "lib")]) {
    const entries = await readdir(parent).catch(() => []);
    for (const entry of entries) if (entry.includes("-linux-")) found.push(join(parent, entry));
  }
  return found;
};

/** The environment in which the programs unpacked below `root` find their libraries. */
export const bindEnvironment = async (root: string): Promise<Readonly<Record<string, string>>> => ({
  LD_LIBRARY_PATH: (await libraryDirectories(root)).join(delimiter),
});
