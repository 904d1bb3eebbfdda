import { join } from "node:path";
import { cacheDirectory, isBuilt } from "./cache.ts";
import type { ServerName } from "./recipes.ts";

/** The directory of a built server, or undefined where it hasn't been built. */
export const serverDirectory = (name: ServerName): string | undefined => (isBuilt(name) ? cacheDirectory(name) : undefined);

/** The directory of a built server; throws, saying how to build it, where there is none. */
export const requireServer = (name: ServerName): string => {
  const directory = serverDirectory(name);
  if (directory === undefined) throw new Error(`${name} isn't built: run "npm run servers" first`);
  return directory;
};

/** Whether suites can use a server: false where it hasn't been built, but with CI=true that is an error, not a skip. */
export const available = (name: ServerName): boolean => {
  if (isBuilt(name)) return true;
  if (process.env["CI"] === "true") requireServer(name);
  return false;
};

/** The `node` program of another Node version, for the packaging tests; throws where it hasn't been built. */
export const nodeProgram = (name: "node22" | "node26"): string => join(requireServer(name), "bin", "node");
