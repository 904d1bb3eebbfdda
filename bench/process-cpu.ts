import { readFileSync } from "node:fs";

/** The kernel counts the CPU of other processes in hundredths of a second (`getconf CLK_TCK`). */
const microsPerTick = 10_000;

/** Microseconds of CPU that a process has used with all its threads: the 14th and 15th field of its line, by proc(5). */
export function processMicros(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name of the program, in parentheses, may contain spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * microsPerTick;
}
