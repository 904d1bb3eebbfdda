import { describe, expect, it } from "vitest";
import { definitionOf, respelled, spelled } from "../../src/assets/spelling.ts";
import { metricTable } from "../../src/telemetry/metrics/metric-table.ts";

describe("The spelling of a metric", () => {
  it.each([
    ["http.client.request.duration", "http_client_request_duration_seconds", "http_client_request_duration"],
    ["inmesh.discovery.age", "inmesh_discovery_age_seconds", "inmesh_discovery_age"],
    ["inmesh.tls.certificate.expiry", "inmesh_tls_certificate_expiry_seconds", "inmesh_tls_certificate_expiry"],
    ["inmesh.client.hedges.won", "inmesh_client_hedges_won_total", "inmesh_client_hedges_won_total"],
    ["inmesh.client.attempts", "inmesh_client_attempts", "inmesh_client_attempts"],
  ])("%s is %s over OTLP and %s from the JavaScript exporter", (name, otlp, otelJs) => {
    expect(spelled(name, "otlp")).toBe(otlp);
    expect(spelled(name, "otel-js")).toBe(otelJs);
  });

  it("is refused for a metric that does not exist", () => {
    expect(() => definitionOf("inmesh.incarnations")).toThrow("there is no metric inmesh.incarnations");
  });

  it("changes in a text wherever a metric is named, and nowhere else", () => {
    const text = 'rate(inmesh_client_call_duration_seconds_bucket{job="inmesh_discovery_age_secondsx"}[5m]) / inmesh_discovery_age_seconds';
    expect(respelled(text, "otlp")).toBe(text);
    expect(respelled(text, "otel-js")).toBe(
      'rate(inmesh_client_call_duration_bucket{job="inmesh_discovery_age_secondsx"}[5m]) / inmesh_discovery_age',
    );
    const recorded = "service:inmesh_call_duration_seconds:p99_rate5m my_inmesh_discovery_age_seconds";
    expect(respelled(recorded, "otel-js")).toBe(recorded);
  });

  it("changes every metric of the table that should differ", () => {
    for (const { name, unit } of Object.values(metricTable)) {
      const text = `x ${spelled(name, "otlp")} y`;
      expect(respelled(text, "otel-js") !== text, name).toBe(unit === "s");
    }
  });
});
