import type { Worker } from "node:worker_threads";
import type { Lexer, Parser } from "yaml";
import type { Clock } from "../../core/clock.ts";
import { inTurns } from "../../core/json/in-turns.ts";
import { readJson } from "../../core/json/json-scanner.ts";
import { withoutText } from "../../documents/yaml-fault.ts";
import { answerOfThread, startYamlThread } from "../../documents/yaml-thread.ts";

/** Each alias of YAML is looked up among all anchors before it. */
const maxAnchorsAndAliases = 200;
/** As of JSON. The package goes down a level of its own stack for each: at a thousand or so some versions of Node end the process. */
const maxDepth = 64;
/** Characters that are parsed at once, whatever they are: of 8,192, some that are no list take 80 ms. */
const maxAtOnce = 2_048;
/** A list of 256 KiB takes a fifth of a second; keys are compared with all keys before them. */
const maxParseMs = 5_000;
const maxHeapMiB = 256;

/** The package gives way to nothing while it parses. Its result comes back as JSON, which can be read in turns. */
const program = `
const { parentPort, workerData: { path, text, maxDepth } } = require("node:worker_threads");
let answer;
try {
  const { Lexer, Parser } = require(path);
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    for (const _ of parser.next(lexeme));
    if (parser.stack.length > maxDepth + 2) throw new Error("nested deeper than " + maxDepth);
  }
  answer = { json: Buffer.from(JSON.stringify(require(path).parse(text, { logLevel: "error" })) ?? "null") };
} catch (error) {
  answer = { error: String(error?.message ?? error) };
}
parentPort.postMessage(answer);`;

/**
 * Parses YAML, in a thread of its own unless it is short. The package is loaded with the first text, so that its cost is paid only where it
 * is used. Rejects with what is wrong in the text, or with an Error that names the bound that it exceeds.
 */
export async function readYaml(text: string, clock: Clock): Promise<unknown> {
  const marks = text.match(/(?<![^\s,[{:-])[&*][^\s,[\]{}]/g)?.length ?? 0;
  if (marks > maxAnchorsAndAliases) throw new Error(`it has ${marks} anchors and aliases; ${maxAnchorsAndAliases} are allowed`);
  const worker = text.length > maxAtOnce ? startYamlThread(program, { text, maxDepth }, maxHeapMiB) : undefined;
  if (worker !== undefined) return await inTurns(readJson(await jsonOf(worker, clock)));
  const { Lexer, Parser, parse } = await import("yaml");
  checkDepth(text, new Lexer(), new Parser());
  try {
    return parse(text, { logLevel: "error" });
  } catch (error) {
    // Without the cause, whose message quotes the text.
    throw new Error(withoutText((error as Error).message));
  }
}

/** The same as in the thread. The parser of the package makes tokens without recursion, and has on its stack the document, each level and a value. */
function checkDepth(text: string, lexer: Lexer, parser: Parser): void {
  for (const lexeme of lexer.lex(text)) {
    for (const _token of parser.next(lexeme));
    if (parser.stack.length > maxDepth + 2) throw new Error(`nested deeper than ${maxDepth}`);
  }
}

async function jsonOf(worker: Worker, clock: Clock): Promise<Buffer> {
  const { json, error } = (await answerOfThread(worker, {
    clock,
    maxMs: maxParseMs,
    late: () => new Error(`it took more than ${maxParseMs} ms to parse`),
    endedEarly: () => new Error("its parser ended early"),
  })) as { readonly json?: Uint8Array; readonly error?: string };
  if (json === undefined) throw new Error(withoutText(error ?? "it cannot be parsed"));
  return Buffer.from(json.buffer, json.byteOffset, json.byteLength);
}
