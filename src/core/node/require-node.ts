// The first import of each entry, evaluated before all others: an older Node would end at whatever a package misses first, and say nothing
// of its version.
import { unsuitableNode } from "./node-version.ts";

const problem = unsuitableNode(process.versions.node);
if (problem !== undefined) throw new Error(problem);
