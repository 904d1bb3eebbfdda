import type { Clock } from "../../core/clock.ts";
import { inTurns } from "../../core/json/in-turns.ts";
import type { Place } from "../../documents/document-error.ts";
import type { PartPath } from "../../documents/read-document.ts";
import { withoutText } from "../../documents/yaml-fault.ts";
import { answerOfThread, startYamlThread } from "../../documents/yaml-thread.ts";
import type { Policy } from "../policy.ts";
import { PolicyError } from "./policy-error.ts";
import { policyContent } from "./policy-text.ts";
import { checkingPolicy, parsePolicy } from "./read-policy.ts";

/** Characters that are read at once: some dozens of rules. */
const maxAtOnce = 8_192;
/** A text of the largest size takes a second. */
const maxReadMs = 10_000;
const maxHeapMiB = 512;

/** A part of a policy that is wrong. */
interface Wanted {
  readonly path: PartPath;
  readonly isKey: boolean;
}

/** The answer of the thread: the policy as JSON, or what is wrong with the text; the place of the part that was asked for. */
interface Answer {
  readonly json?: string;
  readonly fault?: string;
  readonly place?: Place;
}

/** The same as `readDocument` does. */
const program = `
const { parentPort, workerData: { path, text, wanted } } = require("node:worker_threads");
const { LineCounter, parseDocument, isMap, isScalar, isSeq } = require(path);
const lines = new LineCounter();
const placeAt = (offset) => {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
};
const twice = (node) => {
  if (isSeq(node)) for (const item of node.items) { const found = twice(item); if (found) return found; }
  if (!isMap(node)) return undefined;
  const names = new Set();
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? key.value : undefined;
    if (names.has(name)) return { at: key?.range?.[0] ?? 0 };
    names.add(name);
    const found = twice(value);
    if (found) return found;
  }
};
const nodeAt = (document, path) => {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (node !== undefined && node !== null) return node;
  }
  return document.contents ?? undefined;
};
const keyNode = (document, path) => {
  const parent = nodeAt(document, path.slice(0, -1));
  const items = isMap(parent) ? parent.items : [];
  return items.find(({ key }) => isScalar(key) && key.value === path.at(-1))?.key;
};
const read = () => {
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true, merge: false, uniqueKeys: false });
  const [fault] = [...document.errors, ...document.warnings];
  if (fault !== undefined) return { fault: fault.message, place: placeAt(fault.pos[0]) };
  const doubled = twice(document.contents);
  if (doubled !== undefined) return { fault: "Map keys must be unique", place: placeAt(doubled.at) };
  if (wanted === undefined) return { json: JSON.stringify(document.toJS({ maxAliasCount: 100 })) };
  const node = wanted.isKey ? keyNode(document, wanted.path) : nodeAt(document, wanted.path);
  return node?.range ? { place: placeAt(node.range[0]) } : {};
};
let answer;
try {
  answer = read();
} catch (error) {
  answer = { fault: error.message };
}
parentPort.postMessage(answer);`;

/**
 * Reads a policy as `parsePolicy` does, a long one in a thread of its own: the package for YAML gives way to nothing while it reads, and requests would wait for it. So
 * is found where a fault stands. Returns the policy where it is short, and where no thread can be started.
 * @throws PolicyError, or rejects with it.
 */
export function readAside(text: string, source: string, clock: Clock, signal: AbortSignal): Policy | Promise<Policy> {
  if (text.length <= maxAtOnce) return parsePolicy(text, source);
  const content = policyContent(text, source);
  const first = answerOf({ content, source, clock, signal });
  return first === undefined ? parsePolicy(text, source) : readBy(first, { content, source, clock, signal });
}

interface Reading {
  readonly content: string;
  readonly source: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

function answerOf({ content, source, clock, signal }: Reading, wanted?: Wanted): Promise<Answer> | undefined {
  const worker = startYamlThread(program, { text: content, wanted }, maxHeapMiB);
  worker?.unref();
  return (
    worker &&
    (answerOfThread(worker, {
      clock,
      maxMs: maxReadMs,
      late: () => new PolicyError(source, `it took more than ${maxReadMs} ms to read`),
      endedEarly: () => new PolicyError(source, "its reader ended early"),
      signal,
    }) as Promise<Answer>)
  );
}

async function readBy(first: Promise<Answer>, reading: Reading): Promise<Policy> {
  const { source, signal } = reading;
  const { json, fault, place } = await first;
  if (json === undefined) throw new PolicyError(source, withoutText(fault ?? "it cannot be read"), place);
  let wanted: Wanted | undefined;
  const placeOf = (path: PartPath, isKey = false): undefined => {
    wanted = { path, isKey };
  };
  try {
    return await inTurns(checkingPolicy(JSON.parse(json), source, placeOf), signal);
  } catch (error) {
    if (wanted === undefined || !(error instanceof PolicyError)) throw error;
    const found = await answerOf(reading, wanted);
    throw new PolicyError(source, error.message.slice(source.length + 2), found?.place);
  }
}
