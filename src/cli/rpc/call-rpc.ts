import { httpStatusOf, rpcStatus, rpcStatusName } from "../../core/rpc/rpc-status.ts";
import type { CallTrace, Mesh, MeshRequestInit } from "../../index.ts";
import { traceOf } from "../../index.ts";
import { mayBeRepeated } from "../../rpc/idempotency.ts";
import { metadataFault } from "../../rpc/metadata.ts";
import { exitCodes } from "../exit-codes.ts";
import { exitCodeOfStatus } from "../fetch/outcome.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { UsageError } from "../usage-error.ts";
import { jsonValues, messageOf } from "./json-messages.ts";
import { methodOfFile, methodOfInstance } from "./method-of.ts";
import { loadProtobuf } from "./protobuf.ts";
import { exchangeRpc } from "./rpc-exchange.ts";
import type { RpcTarget } from "./rpc-target.ts";

/** The parts of a call of gRPC. */
export interface RpcCallParts {
  readonly mesh: Mesh;
  readonly target: RpcTarget;
  /** Headers as metadata, the signal, and the options of the mesh. */
  readonly init: MeshRequestInit & { readonly headers: Headers };
  /** The texts of `--data`, each with its place in messages. */
  readonly data: readonly { readonly place: string; readonly text: string }[];
  /** The file of `--descriptors`. */
  readonly descriptors: string | undefined;
  readonly terminal: Terminal;
  readonly note: (text: string) => void;
  readonly onTrace: (trace: CallTrace | undefined) => void;
}

/** The result of a call, for `-o json`. */
export interface RpcReport {
  readonly messages: readonly unknown[];
  readonly status: { readonly code: number; readonly name: string; readonly message: string };
}

/** Calls a method, and writes each message of the answer as a line of JSON as it comes. Resolves with the exit code and the report. */
export async function callRpc(parts: RpcCallParts): Promise<{ readonly exitCode: number; readonly report: RpcReport }> {
  const { mesh, target, init, data, descriptors, terminal, note, onTrace } = parts;
  checkMetadata(init.headers);
  const protobuf = await loadProtobuf();
  // Reflection needs no more than the identity of the caller: its metadata go along, its trace does not.
  const asking = { headers: init.headers, ...(init.signal === undefined ? {} : { signal: init.signal }), mesh: { idempotent: true } };
  const { method, registry } =
    descriptors === undefined ? await methodOfInstance(protobuf, mesh, target, asking) : await methodOfFile(protobuf, descriptors, target);
  const values = data.flatMap(({ place, text }) => jsonValues(text, place));
  const isStreaming = method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
  if (!isStreaming && values.length > 1)
    throw new UsageError(`${target.type}/${target.method} takes one message, and --data has ${values.length}`);
  const given = values.length === 0 && !isStreaming ? [{}] : values;
  const messages = given.map((value) => messageOf(protobuf, method.input, registry, value));
  const idempotent = mayBeRepeated(method.idempotency) ? { idempotent: true } : {};
  const path = `${target.service}/${target.type}/${target.method}`;
  note(`> ${method.methodKind} ${path}, ${messages.length} message${messages.length === 1 ? "" : "s"}`);
  const {
    head,
    messages: answers,
    end,
  } = await exchangeRpc(mesh, {
    target: path,
    messages,
    init: { ...init, mesh: { ...idempotent, ...init.mesh } },
  });
  onTrace(traceOf(head));
  const shown: unknown[] = [];
  for await (const bytes of answers) {
    const value = protobuf.toJson(method.output, protobuf.fromBinary(method.output, bytes), { registry });
    if (terminal.format === "json") shown.push(value);
    else await terminal.json(value, true);
  }
  const { code, message } = end();
  const name = rpcStatusName(code);
  note(`< grpc-status: ${code} ${name}`);
  if (code !== rpcStatus.OK) terminal.note(`inmesh: ${path}: ${name}${message === "" ? "" : `: ${message}`}`);
  const exitCode = code === rpcStatus.OK ? exitCodes.ok : exitCodeOfStatus(httpStatusOf(code));
  return { exitCode, report: { messages: shown, status: { code, name, message } } };
}

function checkMetadata(headers: Headers): void {
  for (const [name, value] of headers) {
    const fault = metadataFault(name, value);
    if (fault !== undefined) throw new UsageError(`--header: ${fault}`);
  }
}
