#!/usr/bin/env node
import { unsuitableNode } from "../core/node/node-version.ts";

const problem = unsuitableNode(process.versions.node);
if (problem === undefined) {
  const { main } = await import("./main.ts");
  await main(process.argv.slice(2));
} else {
  console.error(problem);
  process.exitCode = 1;
}
