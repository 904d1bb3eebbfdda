import { expect, it } from "vitest";
import { labelName, prometheusName } from "../../../src/telemetry/prometheus/spelling.ts";

it.each([
  ["http.client.request.duration", "s", "histogram", "http_client_request_duration_seconds"],
  ["inmesh.client.retries.denied", "{retry}", "counter", "inmesh_client_retries_denied_total"],
  ["inmesh.breaker.state", "{breaker}", "observable gauge", "inmesh_breaker_state"],
  ["some.share", "1", "observable gauge", "some_share_ratio"],
  ["some.count", "1", "counter", "some_count_total"],
  ["some.body.size", "By", "counter", "some_body_size_bytes_total"],
] as const)("%s in %s as a %s is %s", (name, unit, kind, expected) => {
  expect(prometheusName({ name, unit, kind })).toBe(expected);
});

it("a label has underscores for what may not be in one", () => {
  expect(labelName("http.response.status-code")).toBe("http_response_status_code");
});
