import { quoted } from "../../core/text/clean-text.ts";
import { nearestName } from "../../suggestions/nearest-name.ts";
import { given, type Options } from "../text/data.ts";
import type { Part } from "../text/part.ts";

/** The methods that the protocol has, all of which Envoy repeats. */
const methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "QUERY"];

/** The failures that each word of `retry_on` stands for. */
const words: Readonly<Record<string, readonly unknown[]>> = {
  "5xx": ["5xx", "connect", "refused", "reset", "timeout"],
  "gateway-error": [502, 503, 504, "connect", "refused", "reset", "timeout"],
  reset: ["reset", "refused", "timeout"],
  "reset-before-request": ["refused"],
  "connect-failure": ["connect"],
  "refused-stream": ["refused"],
  "retriable-4xx": [409],
  "envoy-ratelimited": [],
  "http3-post-connect-failure": [],
  "retriable-status-codes": [],
};

const ofGrpc = new Set(["cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"]);

/** The retries of a route, by its own policy or that of its virtual host; `false` without one. */
export function retryOf(policy: Part | undefined): Options | false {
  if (policy === undefined) return false;
  const on = conditionsOf(policy);
  const retries = policy.number("num_retries") ?? 1;
  if (on.length === 0 || retries === 0) return false;
  for (const field of ["retriable_headers", "retriable_request_headers"])
    if (policy.list(field).length > 0)
      policy.at(field)?.refuse(`RetryPolicy.${field} is not supported: a retry is decided by the status, and by the method`);
  for (const field of ["retry_host_predicate", "host_selection_retry_max_attempts"])
    policy
      .at(field)
      ?.notice("difference", `RetryPolicy.${field}`, "each attempt prefers an instance that has not failed this call, with or without it");
  const baseDelayMs = policy.ms("retry_back_off", "base_interval") ?? 25;
  policy.notice(
    "difference",
    "RetryPolicy.retry_on",
    "requests of every method are repeated, POST too, as the file says; `maybeExecuted` of an error stays true",
  );
  return given({
    maxAttempts: Math.min(100, retries + 1),
    methods: [...methods],
    on,
    baseDelayMs,
    heedRetryAfter: false,
    maxDelayMs: policy.ms("retry_back_off", "max_interval") ?? baseDelayMs * 10,
  });
}

/** The failures that are repeated, each once. */
function conditionsOf(policy: Part): readonly unknown[] {
  const field = policy.at("retry_on");
  const conditions = new Map<string, unknown>();
  for (const word of (field?.text() ?? "")
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "")) {
    const known = Object.hasOwn(words, word) ? words[word] : undefined;
    if (ofGrpc.has(word)) {
      field?.notice("difference", "RetryPolicy.retry_on", `${word} is a status of gRPC, by which nothing is repeated here`);
      continue;
    }
    if (known === undefined) return refuseWord(field ?? policy, word);
    for (const each of word === "retriable-status-codes" ? statuses(policy) : known) conditions.set(JSON.stringify(each), each);
  }
  return [...conditions.values()];
}

function statuses(policy: Part): readonly number[] {
  return policy.list("retriable_status_codes").flatMap((each) => each.number() ?? []);
}

function refuseWord(field: Part, word: string): never {
  if (word === "retriable-headers")
    return field.refuse("RetryPolicy.retry_on: retriable-headers is not supported: a retry is decided by the status");
  const known = Object.keys(words);
  const nearest = nearestName(word, known);
  return field.refuse(
    `RetryPolicy.retry_on has no ${quoted(word)}; ${nearest === undefined ? `there are ${known.join(", ")}` : `did you mean ${nearest}?`}`,
  );
}
