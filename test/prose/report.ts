// node test/prose/report.ts [WORD …]: the findings in all rooms and pages, or in those whose path contains one of the words.
import { linesOf, lintRepository } from "./repository.ts";

const words = process.argv.slice(2);
const { rooms, pages } = lintRepository();
const findings = [...rooms.values(), ...pages.values()]
  .flat()
  .filter(({ at }) => words.length === 0 || words.some((word) => at.includes(word)));
for (const line of linesOf(findings)) console.log(line);
const clean = [...rooms].filter(([, found]) => found.length === 0).map(([room]) => room);
console.log(`\n${findings.length} findings; rooms without any: ${clean.join(", ")}`);
