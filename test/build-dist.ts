import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** What `npm run build` had against the sources; empty when `dist` is built. */
    buildErrors: string;
  }
}

const root = join(import.meta.dirname, "..");

/**
 * Builds `dist` once before all tests, because examples, docs and the package are tried as a user has them. A source that
 * does not compile fails the tests that need `dist` (see `dist.ts`), not the others.
 */
export async function setup(project: TestProject): Promise<void> {
  project.provide("buildErrors", await build());
}

async function build(): Promise<string> {
  try {
    await promisify(execFile)(process.execPath, ["build.ts"], { cwd: root });
    return "";
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return stderr || message;
  }
}
