import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Page, readPage } from "./markdown.ts";

/** The root of this repository. */
export const root: string = join(import.meta.dirname, "../..");

/** The text of a file, by its path from the root. */
export function textOf(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** Every page that people read, by its path from the root: those at the root and those in `docs`, without the API's. */
export function readPages(): ReadonlyMap<string, Page> {
  const atRoot = readdirSync(root).filter((name) => name.endsWith(".md"));
  const inDocs = existsSync(join(root, "docs"))
    ? readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
        .map((name) => `docs/${name.replaceAll("\\", "/")}`)
        .filter((name) => name.endsWith(".md") && !name.startsWith("docs/api/"))
    : [];
  return new Map([...atRoot, ...inDocs].sort().map((path) => [path, pageOf(path)]));
}

function pageOf(path: string): Page {
  try {
    return readPage(textOf(path));
  } catch (cause) {
    throw new Error(`${path}: ${(cause as Error).message}`, { cause });
  }
}
