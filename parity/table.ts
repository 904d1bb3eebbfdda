import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Row } from "./parity-case.ts";

const titles: Readonly<Record<string, string>> = { envoy: "Envoy 1.40", nginx: "nginx 1.22" };

/** The table of a suite, as a page of the docs. */
export function tableOf(suite: string, rows: readonly Row[]): string {
  const count = (verdict: Row["verdict"]): number => rows.filter((row) => row.verdict === verdict).length;
  const lines = rows.map(({ name, about, verdict, note }) => `| \`${name}\` | ${about} | ${verdict === "explained" ? note : verdict} |`);
  return `# Parity with ${titles[suite] ?? suite}

The same file, the same instances and the same requests, on the real server and on inmesh. Written by \`npm run parity -- ${suite} --write\`; a row alone is run by
\`npm run parity -- ${suite} --only NAME\`.

${rows.length} cases: ${count("equal")} are equal, ${count("explained")} differ for the reason that their row says.

| case | about | equal, or why not |
|---|---|---|
${lines.join("\n")}
`;
}

/** Writes the page of a suite. */
export function writeTable(suite: string, rows: readonly Row[]): void {
  const directory = join(import.meta.dirname, "..", "docs", "parity");
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${suite}.md`), tableOf(suite, rows));
}
