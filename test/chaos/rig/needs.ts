import { serverDirectory } from "../../servers/available.ts";
import { toolPath } from "../../servers/tools.ts";
import type { Need } from "./fault.ts";

/** Whether something that a row cannot do without is on this machine. */
export function isThere(need: Need): boolean {
  return need === "prlimit" ? toolPath("prlimit") !== undefined : serverDirectory(need) !== undefined;
}
