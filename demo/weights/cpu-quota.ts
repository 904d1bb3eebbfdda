import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The CPU that processes may use, limited in the best way that this machine allows. */
export interface CpuQuotas {
  /** The way, for people. */
  readonly how: string;
  /** The kind of the way. A process sees a limit by cgroup v2 itself, as in a container. */
  readonly kind: "cgroup v2" | "cgroup v1" | "signals";
  /** Limits a process to a part of a CPU, such as 0.25. */
  limit(pid: number, cpus: number): void;
  /** Ends all limits. The processes have ended, or run on without any. */
  release(): void;
}

const periodMs = 100;

/** Control groups where they can be made; else processes are stopped for a part of each 100 ms. */
export function cpuQuotas(): CpuQuotas {
  return controlGroups(v2) ?? controlGroups(v1) ?? dutyCycles();
}

/** A version of control groups: the directory of its groups, and how a quota is written. */
interface Version {
  readonly name: "cgroup v2" | "cgroup v1";
  readonly root: string;
  readonly isUsable: () => boolean;
  readonly write: (group: string, cpus: number) => void;
}

const v2: Version = {
  name: "cgroup v2",
  root: "/sys/fs/cgroup",
  isUsable: () => /\bcpu\b/.test(readFileSync("/sys/fs/cgroup/cgroup.subtree_control", "latin1")),
  write: (group, cpus) => writeFileSync(join(group, "cpu.max"), `${Math.round(cpus * periodMs * 1_000)} ${periodMs * 1_000}`),
};

const v1: Version = {
  name: "cgroup v1",
  root: "/sys/fs/cgroup/cpu",
  isUsable: () => existsSync("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
  write(group, cpus) {
    writeFileSync(join(group, "cpu.cfs_period_us"), String(periodMs * 1_000));
    writeFileSync(join(group, "cpu.cfs_quota_us"), String(Math.round(cpus * periodMs * 1_000)));
  },
};

function controlGroups({ name, root, isUsable, write }: Version): CpuQuotas | undefined {
  const groups: string[] = [];
  const make = (cpus: number): string => {
    const group = join(root, `inmesh-demo-${process.pid}-${groups.length}`);
    mkdirSync(group);
    groups.push(group);
    write(group, cpus);
    return group;
  };
  const release = (): void => {
    for (const group of groups.splice(0)) {
      try {
        // Those that still run go back to the group that this process is in, or to the one above all.
        for (const pid of readFileSync(join(group, "cgroup.procs"), "latin1").split("\n").filter(Boolean))
          writeFileSync(join(root, "cgroup.procs"), pid);
        rmdirSync(group);
      } catch {
        // An empty group takes nothing from anything.
      }
    }
  };
  try {
    if (!isUsable()) return undefined;
    make(1);
    release();
  } catch {
    return undefined;
  }
  return {
    how: `by ${name}`,
    kind: name,
    limit: (pid, cpus) => writeFileSync(join(make(cpus), "cgroup.procs"), String(pid)),
    release,
  };
}

/** Stops each process for the part of each 100 ms in which it may not run. */
export function dutyCycles(): CpuQuotas {
  const ends: (() => void)[] = [];
  return {
    how: `by SIGSTOP and SIGCONT in turns of ${periodMs} ms`,
    kind: "signals",
    limit(pid, cpus) {
      let timer: NodeJS.Timeout | undefined;
      const signal = (name: NodeJS.Signals): boolean => {
        try {
          return process.kill(pid, name);
        } catch {
          clearInterval(cycle);
          return false;
        }
      };
      const cycle = setInterval(() => {
        signal("SIGCONT");
        timer = setTimeout(() => signal("SIGSTOP"), cpus * periodMs);
      }, periodMs);
      ends.push(() => {
        clearInterval(cycle);
        clearTimeout(timer);
        signal("SIGCONT");
      });
    },
    release() {
      for (const end of ends.splice(0)) end();
    },
  };
}
