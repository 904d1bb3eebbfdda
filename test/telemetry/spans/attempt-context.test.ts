import { createContextKey, INVALID_SPAN_CONTEXT, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { isTracingSuppressed } from "@opentelemetry/core";
import { describe, expect, it } from "vitest";
import { AttemptContext } from "../../../src/telemetry/spans/attempt-context.ts";

const key = createContextKey("a caller's");
const other = createContextKey("another");
const span = trace.wrapSpanContext({ ...INVALID_SPAN_CONTEXT, traceId: "a".repeat(32), spanId: "b".repeat(16) });
const parent = trace.setSpan(ROOT_CONTEXT, trace.wrapSpanContext(INVALID_SPAN_CONTEXT)).setValue(key, "theirs");

describe("the context of an attempt", () => {
  it("has its own span and whatever else its parent has", () => {
    const own = new AttemptContext(parent, span);
    expect([trace.getSpan(own), own.getValue(key), own.getValue(other)]).toEqual([span, "theirs", undefined]);
    expect(trace.getSpan(parent)).not.toBe(span);
  });

  it("suppresses tracing once the attempt is being sent, not while its headers are made", () => {
    const own = new AttemptContext(parent, span);
    const before = isTracingSuppressed(own);
    own.startSending();
    expect([before, isTracingSuppressed(own)]).toEqual([false, true]);
  });

  it("gives what is set on it, or taken away, as a context of the API's, and stays as it is", () => {
    const own = new AttemptContext(parent, span);
    own.startSending();
    const more = own.setValue(other, "more");
    expect([more.getValue(other), more.getValue(key), trace.getSpan(more), isTracingSuppressed(more)]).toEqual([
      "more",
      "theirs",
      span,
      true,
    ]);
    const less = trace.deleteSpan(own);
    expect([trace.getSpan(less), less.getValue(key), isTracingSuppressed(less)]).toEqual([undefined, "theirs", true]);
    expect([own.getValue(other), trace.getSpan(own)]).toEqual([undefined, span]);
  });

  it("carries headers of any name, and none of its own", () => {
    const { headers } = new AttemptContext(parent, span);
    const name = "__proto__";
    (headers as Record<string, string>)[name] = "x";
    expect([Object.keys(headers), headers["constructor"], headers["toString"]]).toEqual([["__proto__"], undefined, undefined]);
  });
});
