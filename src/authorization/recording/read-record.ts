import { isNameable } from "./nameable.ts";
import { policyRecorder } from "./policy-recorder.ts";
import type { DecidedRequest, RecordedRequest, RequestRecord } from "./recorded-requests.ts";

const decisions: readonly unknown[] = ["allowed", "denied", "dry-run-denied", "refused"];

/**
 * Reads requests for a proposal: the JSON of a recorder, or a log of audit records, one line of JSON each.
 * @throws Error with the line, for another text.
 */
export function readRecord(text: string): RequestRecord {
  const whole = parsed(text);
  if (isObject(whole) && "requests" in whole) return recordOf(whole);
  const recorder = policyRecorder();
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const record = parsed(line);
    if (!isDecided(record)) throw new Error(`line ${index + 1} is no audit record: it needs decision, method and path`);
    recorder.audit({ ...record, ruleId: record.ruleId ?? undefined, identity: record.identity ?? undefined });
  }
  return recorder.toJSON();
}

function recordOf(whole: Readonly<Record<string, unknown>>): RequestRecord {
  const { requests, leftOut } = whole;
  if (!Array.isArray(requests)) throw new Error("requests must be a list");
  for (const [index, request] of requests.entries())
    if (!isRecorded(request)) throw new Error(`requests[${index}] needs identity, method, path and count, as a recorder writes them`);
  const numberOf = (name: string): number => {
    const value = isObject(leftOut) ? leftOut[name] : 0;
    return typeof value === "number" && value >= 0 ? value : 0;
  };
  return {
    requests: requests as readonly RecordedRequest[],
    leftOut: { dropped: numberOf("dropped"), tooMany: numberOf("tooMany"), unnameable: numberOf("unnameable") },
  };
}

function isRecorded(value: unknown): value is RecordedRequest {
  if (!isObject(value)) return false;
  const { identity, method, path, count } = value;
  if (!(identity === null || typeof identity === "string") || typeof method !== "string" || typeof path !== "string") return false;
  return typeof count === "number" && count > 0 && isNameable(method, path.replaceAll(/\/\{id\}(?=\/|$)/g, "/id"), identity ?? undefined);
}

function isDecided(value: unknown): value is DecidedRequest {
  if (!isObject(value)) return false;
  const { decision, method, path, identity, ruleId, dropped } = value;
  const isTextOrNone = (each: unknown): boolean => each === undefined || each === null || typeof each === "string";
  if (!(dropped === undefined || (typeof dropped === "number" && dropped >= 0))) return false;
  return (
    decisions.includes(decision) && typeof method === "string" && typeof path === "string" && isTextOrNone(identity) && isTextOrNone(ruleId)
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
