import { delimiter, join } from "node:path";
import { bindEnvironment } from "./bind-files.ts";

/** The program below the directory that the package was unpacked into. */
export const chromiumProgram = (root: string): string => join(root, "usr", "lib", "chromium", "chromium-headless-shell");

/** The environment in which the Chromium unpacked below `root` finds its libraries. */
export const chromiumEnvironment = async (root: string): Promise<Readonly<Record<string, string>>> => {
  const { LD_LIBRARY_PATH: libraries = "" } = await bindEnvironment(root);
  const directories = libraries.split(delimiter).filter((directory) => directory !== "");
  // libpulse has a directory of its own for a part of itself, which is fixed in it.
  return { LD_LIBRARY_PATH: directories.flatMap((directory) => [directory, join(directory, "pulseaudio")]).join(delimiter) };
};
