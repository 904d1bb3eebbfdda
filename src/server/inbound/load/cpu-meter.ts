import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import type { Clock } from "../../../core/clock.ts";

/** Reads a small file of the kernel; `undefined` where it is not there or may not be read. */
export type ReadFile = (path: string) => string | undefined;

/** The root of the hierarchy of cgroup v2. */
const root = "/sys/fs/cgroup";

interface Quota {
  /** The folder of the group whose quota is the tightest around this process. */
  readonly folder: string;
  /** CPUs that the group may use. */
  readonly cpus: number;
}

/**
 * Measures the CPU of this container as a share of what it may use: by the quota of its control group (`cpu.max` and `cpu.stat` of cgroup v2), which is
 * that of all processes in it. Without a quota, the CPU of this process as a share of all CPUs that it may run on.
 */
export class CpuMeter {
  readonly #clock: Clock;
  readonly #read: ReadFile;
  /** The folders of the groups around this process, the innermost first. */
  readonly #folders: readonly string[];
  #lastUsageMs: number;
  #lastAt: number;
  #lastFolder: string | undefined;

  constructor(clock: Clock, read: ReadFile = readKernelFile) {
    this.#clock = clock;
    this.#read = read;
    this.#folders = foldersOf(read("/proc/self/cgroup"));
    const quota = this.#quota();
    this.#lastFolder = quota?.folder;
    this.#lastUsageMs = this.#usageMs(quota) ?? 0;
    this.#lastAt = clock.now();
  }

  /** The CPUs that this process may use. */
  get cpus(): number {
    return Math.min(this.#quota()?.cpus ?? Number.POSITIVE_INFINITY, availableParallelism());
  }

  /** The share that was used since the last time that this was asked, from 0; `undefined` where no time has passed, or the group has changed. */
  share(): number | undefined {
    const quota = this.#quota();
    const now = this.#clock.now();
    const usageMs = this.#usageMs(quota);
    const elapsedMs = now - this.#lastAt;
    const usedMs = (usageMs ?? 0) - this.#lastUsageMs;
    const isSame = quota?.folder === this.#lastFolder;
    if (elapsedMs <= 0 && isSame) return undefined;
    this.#lastFolder = quota?.folder;
    this.#lastAt = now;
    this.#lastUsageMs = usageMs ?? 0;
    if (!isSame || usageMs === undefined || usedMs < 0) return undefined;
    return usedMs / elapsedMs / Math.min(quota?.cpus ?? Number.POSITIVE_INFINITY, availableParallelism());
  }

  /** The tightest quota: one of an outer group holds for all groups in it. Read anew each time, since a container can be resized. */
  #quota(): Quota | undefined {
    let tightest: Quota | undefined;
    for (const folder of this.#folders) {
      const [quota = "", period = ""] = (this.#read(join(folder, "cpu.max")) ?? "").trim().split(" ");
      const cpus = Number(quota || Number.NaN) / Number(period || Number.NaN);
      if (cpus > 0 && cpus < (tightest?.cpus ?? Number.POSITIVE_INFINITY)) tightest = { folder, cpus };
    }
    return tightest;
  }

  #usageMs(quota: Quota | undefined): number | undefined {
    if (quota === undefined) {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1_000;
    }
    const [, micros] = /^usage_usec (\d+)$/m.exec(this.#read(join(quota.folder, "cpu.stat")) ?? "") ?? [];
    return micros === undefined ? undefined : Number(micros) / 1_000;
  }
}

/** The folders of the group of `/proc/self/cgroup` (`0::/system.slice/orders.service`) and of the groups around it. */
function foldersOf(groups: string | undefined): readonly string[] {
  const [, path] = /^0::(\/.*)$/m.exec(groups ?? "") ?? [];
  if (path === undefined || path.includes("..")) return [root];
  const folders: string[] = [];
  for (let folder = join(root, path); folder.startsWith(root); folder = dirname(folder)) folders.push(folder);
  return folders;
}

function readKernelFile(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}
