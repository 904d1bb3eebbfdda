import type { Worker } from "node:worker_threads";
import type { Clock } from "../../core/clock.ts";
import { answerOfThread, startYamlThread } from "../../documents/yaml-thread.ts";
import type { Policy } from "../policy.ts";
import { PolicyError } from "./policy-error.ts";
import { policyContent } from "./policy-text.ts";
import { checkPolicy, parsePolicy } from "./read-policy.ts";

/** Characters that are read at once: some dozens of rules. */
const maxAtOnce = 8_192;
/** A text of the largest size takes half a second. */
const maxReadMs = 10_000;
const maxHeapMiB = 512;

/** The same as `readPolicyText` does. What is wrong is found again where it is said, with its place. */
const program = `
const { parentPort, workerData: { path, text } } = require("node:worker_threads");
let json;
try {
  const { parseDocument, isMap, isScalar, isSeq } = require(path);
  const hasDuplicates = (node) => {
    if (isSeq(node)) return node.items.some(hasDuplicates);
    if (!isMap(node)) return false;
    const names = new Set(node.items.map(({ key }) => (isScalar(key) ? key.value : undefined)));
    return names.size < node.items.length || node.items.some(({ value }) => hasDuplicates(value));
  };
  const document = parseDocument(text, { prettyErrors: false, stringKeys: true, merge: false, uniqueKeys: false });
  const isFaulty = document.errors.length + document.warnings.length > 0 || hasDuplicates(document.contents);
  if (!isFaulty) json = JSON.stringify(document.toJS({ maxAliasCount: 100 }));
} catch {}
parentPort.postMessage(json);`;

/**
 * Reads a policy as `parsePolicy` does, a long one in a thread of its own: the package for YAML gives way to nothing while it reads, and requests would wait for it.
 * Only what is wrong is read at once, to say where. Returns the policy where it is short, and where no thread can be started.
 * @throws PolicyError, or rejects with it.
 */
export function readAside(text: string, source: string, clock: Clock, signal: AbortSignal): Policy | Promise<Policy> {
  if (text.length <= maxAtOnce) return parsePolicy(text, source);
  const worker = startYamlThread(program, { text: policyContent(text, source) }, maxHeapMiB);
  return worker === undefined ? parsePolicy(text, source) : readBy(worker, text, source, clock, signal);
}

async function readBy(worker: Worker, text: string, source: string, clock: Clock, signal: AbortSignal): Promise<Policy> {
  worker.unref();
  const json = (await answerOfThread(worker, {
    clock,
    maxMs: maxReadMs,
    late: () => new PolicyError(source, `it took more than ${maxReadMs} ms to read`),
    endedEarly: () => new PolicyError(source, "its reader ended early"),
    signal,
  })) as string | undefined;
  if (json === undefined) return parsePolicy(text, source);
  try {
    return checkPolicy(JSON.parse(json), source);
  } catch {
    return parsePolicy(text, source);
  }
}
