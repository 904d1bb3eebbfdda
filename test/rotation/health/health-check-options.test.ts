import { expect, it } from "vitest";
import { checkHealthCheck } from "../../../src/rotation/health/health-check-options.ts";

for (const [check, message] of [
  [true, "healthCheck must be an object with options, not true"],
  ["/health", "healthCheck must be an object with options, not a string"],
  [{}, 'healthCheck.type must be one of "http", "tcp", "grpc", not undefined'],
  [{ type: "https", path: "/" }, 'healthCheck.type must be one of "http", "tcp", "grpc", not "https"'],
  [{ type: "tcp", path: "/" }, 'healthCheck has no option "path"'],
  [{ type: "grpc", path: "/" }, 'healthCheck has no option "path"'],
  [{ type: "http", path: "/", service: "x" }, 'healthCheck has no option "service"'],
  [{ type: "http", path: "/", interval: 5 }, 'healthCheck has no option "interval"'],
  [{ type: "http" }, "healthCheck.path must be a path that begins with /"],
  [{ type: "http", path: "health" }, "healthCheck.path must be a path that begins with /"],
  [{ type: "http", path: "/a b" }, "healthCheck.path must be a path that begins with /"],
  [{ type: "http", path: "/a\r\nx: y" }, "healthCheck.path must be a path that begins with /"],
  [{ type: "http", path: "/a#b" }, "healthCheck.path must be a path that begins with /"],
  [{ type: "http", path: "/ä" }, "healthCheck.path must be a path that begins with /"],
  [{ type: "http", path: "http://other/" }, "healthCheck.path must be a path that begins with /"],
  [{ type: "http", path: "/", expectedStatuses: 200 }, "healthCheck.expectedStatuses must be an array of statuses"],
  [{ type: "http", path: "/", expectedStatuses: [] }, "healthCheck.expectedStatuses must be an array of statuses"],
  [{ type: "http", path: "/", expectedStatuses: [99] }, "healthCheck.expectedStatuses must be an array of statuses"],
  [{ type: "http", path: "/", expectedStatuses: ["200"] }, "healthCheck.expectedStatuses must be an array of statuses"],
  [{ type: "http", path: "/", expectedStatuses: [[299, 200]] }, "healthCheck.expectedStatuses must be an array of statuses"],
  [{ type: "http", path: "/", expectedStatuses: [[200]] }, "healthCheck.expectedStatuses must be an array of statuses"],
  [{ type: "grpc", service: 5 }, "healthCheck.service must be a string that is not empty, not 5"],
  [{ type: "tcp", intervalMs: 0 }, "healthCheck.intervalMs must be from 1 to 2147483647, not 0"],
  [{ type: "tcp", timeoutMs: Number.POSITIVE_INFINITY }, "healthCheck.timeoutMs must be from 1 to 2147483647, not Infinity"],
  [{ type: "tcp", unhealthyThreshold: 0 }, "healthCheck.unhealthyThreshold must be at least 1, not 0"],
  [{ type: "tcp", healthyThreshold: 1.5 }, "healthCheck.healthyThreshold must be a whole number, not 1.5"],
  [{ type: "tcp", jitter: 1.1 }, "healthCheck.jitter must be from 0 to 1, not 1.1"],
] as const) {
  it(`refuses ${JSON.stringify(check)}: ${message}`, () => {
    expect(() => checkHealthCheck("healthCheck", check as never)).toThrow(message);
  });
}

it("takes what is right", () => {
  for (const check of [
    undefined,
    false,
    { type: "tcp" },
    { type: "grpc" },
    { type: "grpc", service: "" },
    { type: "grpc", service: "orders.v1.Orders", intervalMs: 1, timeoutMs: 1, unhealthyThreshold: 1, healthyThreshold: 1, jitter: 0 },
    { type: "http", path: "/health?deep=1&x=%20", expectedStatuses: [200, [300, 399]] },
  ] as const)
    expect(() => checkHealthCheck("healthCheck", check)).not.toThrow();
});
