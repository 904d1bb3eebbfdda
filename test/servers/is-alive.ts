import { readFileSync } from "node:fs";

const isZombie = (pid: number): boolean => {
  try {
    // The state follows the program's name, which is in parentheses and may hold some itself.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
};

/** Whether a process with this id runs, whoever it belongs to; one that ended but that its parent hasn't noticed yet doesn't. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};
