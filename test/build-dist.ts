import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** What the compiler had against the sources; empty when `dist` is built. */
    buildErrors: string;
  }
}

const root = join(import.meta.dirname, "..");

/**
 * Builds `dist` once before all tests, because examples, docs and the package are tried as a user has them. A source that
 * does not compile fails the tests that need `dist` (see `dist.ts`), not the others.
 */
export async function setup(project: TestProject): Promise<void> {
  await removeOrphans();
  project.provide("buildErrors", await build());
}

async function build(): Promise<string> {
  try {
    await promisify(execFile)(process.execPath, [join(root, "node_modules/.bin/tsc"), "-p", "tsconfig.build.json"], { cwd: root });
    return "";
  } catch (error) {
    const { stdout, message } = error as Error & { stdout?: string };
    return stdout || message;
  }
}

/** What is left of a source that is gone would still be imported, tested and packed. */
async function removeOrphans(): Promise<void> {
  const dist = join(root, "dist");
  if (!existsSync(dist)) return;
  for (const entry of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
    const source = join(root, "src", entry.replace(/(\.d\.ts|\.js)(\.map)?$/, ".ts"));
    if (/\.(ts|js|map)$/.test(entry) && !existsSync(source)) await rm(join(dist, entry));
  }
}
