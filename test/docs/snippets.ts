import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "./markdown.ts";
import { root } from "./pages.ts";

/** A block of a page that is run as a module. */
export interface Snippet {
  /** `docs/reference/fetch.md:12`: where its code begins. */
  readonly name: string;
  readonly page: string;
  readonly line: number;
  readonly code: string;
}

/** How a snippet, or the compiler, ended. */
export interface Ended {
  /** `null` when it was killed because it did not end by itself. */
  readonly code: number | null;
  readonly output: string;
}

/** Every `ts` block that is not the copy of an example. */
export function snippetsOf(pages: ReadonlyMap<string, Page>): readonly Snippet[] {
  return [...pages].flatMap(([page, { blocks }]) =>
    blocks
      .filter(({ language, example }) => language === "ts" && example === undefined)
      .map(({ code, line }) => ({ name: `${page}:${line}`, page, line, code })),
  );
}

/**
 * A directory inside the package, where `inmesh` is the package itself, with a file for each snippet. The code of a file
 * stands in the same lines as in its page, so that errors say the page's line.
 */
export class SnippetProject implements Disposable {
  readonly #directory: string;

  constructor(snippets: readonly Snippet[]) {
    const parent = join(root, ".test-results/snippets");
    mkdirSync(parent, { recursive: true });
    this.#directory = mkdtempSync(join(parent, "run-"));
    for (const snippet of snippets) {
      writeFileSync(join(this.#directory, fileOf(snippet)), "\n".repeat(snippet.line - 1) + snippet.code);
    }
    const compilerOptions = { moduleDetection: "force", noEmit: true, noUnusedLocals: false, noUnusedParameters: false };
    const project = { extends: "../../../tsconfig.json", compilerOptions, include: ["*.ts"], exclude: [] };
    writeFileSync(join(this.#directory, "tsconfig.json"), JSON.stringify(project));
  }

  /** Runs one to its end, at most for `timeoutMs`. */
  run(snippet: Snippet, timeoutMs: number): Promise<Ended> {
    return run([join(this.#directory, fileOf(snippet))], timeoutMs);
  }

  /** Checks the types of all together. */
  check(timeoutMs: number): Promise<Ended> {
    return run([join(root, "node_modules/.bin/tsc"), "-p", join(this.#directory, "tsconfig.json"), "--pretty", "false"], timeoutMs);
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** `docs__fetch.md-12.ts` */
function fileOf({ page, line }: Snippet): string {
  return `${page.replaceAll("/", "__")}-${line}.ts`;
}

function run(args: readonly string[], timeout: number): Promise<Ended> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NODE_|VITEST)/.test(name)));
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { cwd: root, env, timeout, killSignal: "SIGKILL" }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, output: stdout + stderr });
    });
  });
}
