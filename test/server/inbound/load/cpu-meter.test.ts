import { availableParallelism } from "node:os";
import { describe, expect, test } from "vitest";
import { CpuMeter } from "../../../../src/server/inbound/load/cpu-meter.ts";
import { virtualClock } from "../../../../src/testing/virtual-clock.ts";

/** The files of a kernel, which the test writes. */
function kernel(files: Record<string, string>) {
  const clock = virtualClock();
  return { clock, files, meter: new CpuMeter(clock, (path) => files[path]) };
}

const group = "/sys/fs/cgroup/pod/orders";

describe("the CPU of a container", () => {
  test("is measured by its quota", async () => {
    const { clock, files, meter } = kernel({
      "/proc/self/cgroup": "0::/pod/orders\n",
      [`${group}/cpu.max`]: "50000 100000\n",
      [`${group}/cpu.stat`]: "usage_usec 1000000\nuser_usec 1\n",
    });
    expect(meter.cpus).toBe(0.5);
    await clock.advance(1_000);
    files[`${group}/cpu.stat`] = "usage_usec 1250000\n";
    expect(meter.share()).toBeCloseTo(0.5);
    await clock.advance(500);
    files[`${group}/cpu.stat`] = "usage_usec 1500000\n";
    expect(meter.share()).toBeCloseTo(1);
    // The container is given more.
    await clock.advance(1_000);
    files[`${group}/cpu.stat`] = "usage_usec 2000000\n";
    files[`${group}/cpu.max`] = "100000 100000\n";
    expect(meter.share()).toBeCloseTo(0.5);
  });

  test("is that of the group with the tightest quota around it", () => {
    const { meter } = kernel({
      "/proc/self/cgroup": "0::/pod/orders\n",
      [`${group}/cpu.max`]: "max 100000\n",
      "/sys/fs/cgroup/pod/cpu.max": "20000 100000\n",
      "/sys/fs/cgroup/pod/cpu.stat": "usage_usec 0\n",
    });
    expect(meter.cpus).toBe(0.2);
  });

  test("is that of this process without a quota, as a share of all CPUs", async () => {
    for (const files of [
      {},
      { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "max 100000\n" },
      { "/proc/self/cgroup": "nonsense" },
    ]) {
      const { clock, meter } = kernel(files);
      expect(meter.cpus).toBe(availableParallelism());
      const until = performance.now() + 20;
      while (performance.now() < until);
      await clock.advance(100);
      const share = meter.share() ?? 0;
      expect(share).toBeGreaterThan(0);
      expect(share).toBeLessThanOrEqual(1.5);
    }
  });

  test("is unknown where no time has passed, or the counter is of another group", async () => {
    const { clock, files, meter } = kernel({
      "/proc/self/cgroup": "0::/pod/orders\n",
      [`${group}/cpu.max`]: "50000 100000\n",
      [`${group}/cpu.stat`]: "usage_usec 1000000\n",
    });
    expect(meter.share()).toBeUndefined();
    await clock.advance(100);
    delete files[`${group}/cpu.max`];
    expect(meter.share()).toBeUndefined();
    await clock.advance(100);
    expect(meter.share()).toBeGreaterThanOrEqual(0);
  });
});
