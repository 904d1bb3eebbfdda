import { defineConfig } from "vitest/config";
import { CountsReporter } from "./test/counts-reporter.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/build-dist.ts"],
    reporters: ["default", new CountsReporter()],
    // Real servers share the machine with the tests: more workers only make everybody wait for each other.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: { include: ["src/**/*.ts"], reportsDirectory: "coverage" },
  },
});
