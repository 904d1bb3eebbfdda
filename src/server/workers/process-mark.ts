import { readFile } from "node:fs/promises";

/**
 * The mark of this process: its number and, where the system tells it, the time at which it was started, so that a later process with the number has
 * another mark.
 */
export async function ownMark(): Promise<string> {
  return `${process.pid}-${(await statusOf(process.pid))?.startedAt ?? "0"}`;
}

/** Whether the process with this mark runs, as far as that can be told. A zombie does not. */
export async function isAlive(mark: string): Promise<boolean> {
  const [number, startedAt = "0"] = mark.split("-");
  const pid = Number(number);
  // 0 and negative numbers would stand for groups of processes.
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  if (startedAt !== "0") {
    const status = await statusOf(pid);
    return status !== undefined && !status.hasEnded && status.startedAt === startedAt;
  }
  try {
    return process.kill(pid, 0);
  } catch {
    // Another user's process is none of this group.
    return false;
  }
}

/** The line of a process in Linux's /proc; `undefined` where there is none. */
async function statusOf(pid: number): Promise<{ readonly startedAt: string; readonly hasEnded: boolean } | undefined> {
  let line: string;
  try {
    line = await readFile(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The name of the program, in parentheses, may contain anything. The state is field 3, the start is field 22.
  const [state = "", ...fields] = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const startedAt = fields[18];
  return startedAt === undefined ? undefined : { startedAt, hasEnded: state === "Z" || state === "X" };
}
