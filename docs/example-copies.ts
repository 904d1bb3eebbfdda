// node docs/example-copies.ts [--write]: blocks of pages that are copies of a program in examples/, marked by `<!-- example: FILE -->` on the line
// before. It prints the pages whose copies are not as the programs are; with --write it puts the programs in their place there.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const copy = /(<!-- example: (\S+) -->\n```ts\n)[\s\S]*?(?=^```$)/gm;

/** The text of a page with its copies of examples as the examples are now. */
export function withExamples(text: string): string {
  return text.replace(copy, (_whole, opening: string, file: string) => `${opening}${readFileSync(join(root, file), "utf8")}`);
}

if (import.meta.main) {
  const inDocs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).map((name) => join("docs", name));
  for (const page of ["README.md", ...inDocs.filter((name) => name.endsWith(".md") && !name.startsWith(join("docs", "api")))]) {
    const text = readFileSync(join(root, page), "utf8");
    const current = withExamples(text);
    if (current === text) continue;
    if (process.argv.includes("--write")) writeFileSync(join(root, page), current);
    process.stdout.write(`${page}\n`);
  }
}
