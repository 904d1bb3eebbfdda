import { isShownHeader } from "../../core/http/secret-headers.ts";
import { type CallTrace, createMesh, isMeshError, traceOf } from "../../index.ts";
import type { Call } from "../command.ts";
import type { fetchOptions } from "../fetch/fetch-options.ts";
import { firstErrorOf } from "../fetch/first-error.ts";
import { meshOptions } from "../fetch/mesh-options.ts";
import { Narrator } from "../fetch/narrator.ts";
import { exitCodeOfError, failureText } from "../fetch/outcome.ts";
import { callOptionsOf, dataTexts, shownHeaders } from "../fetch/request.ts";
import { traceLines } from "../fetch/trace-view.ts";
import type { registryOptions } from "../registry/registry-options.ts";
import { registrySource } from "../registry/registry-source.ts";
import { UsageError } from "../usage-error.ts";
import { callRpc } from "./call-rpc.ts";
import { rpcTargetOf } from "./rpc-target.ts";

/** Options of `fetch` that say something of HTTP alone. */
const ofHttp = ["request", "include", "location", "binary"] as const;

/** `inmesh fetch grpc://SERVICE/package.Service/Method`. */
export async function fetchRpc({
  values,
  positionals: [given = ""],
  terminal,
  io,
}: Call<typeof registryOptions & typeof fetchOptions>): Promise<number> {
  const target = rpcTargetOf(given);
  for (const option of ofHttp) if (values[option] !== undefined) throw new UsageError(`--${option} is not for calls of gRPC`);
  if (values.protocol !== undefined && values.protocol !== "h2")
    throw new UsageError("gRPC is spoken over HTTP/2: --protocol h2, which is the default here");
  const source = await registrySource(values, io, terminal);
  const headers = await shownHeaders(values.header ?? [], terminal);
  const data = await dataTexts(values.data ?? [], io);
  const note = (text: string): void => {
    if (values.verbose === true) terminal.note(text, text.startsWith("* ") ? "dim" : undefined);
  };
  const narrator = new Narrator(source.discovery.name ?? "discovery", (text) => note(`* ${text}`));
  const unanswered = new AbortController();
  const observers = [narrator, firstErrorOf(target.service, (error) => unanswered.abort(error))];
  const mesh = createMesh({ ...(await meshOptions(values)), protocol: "h2", discovery: source.discovery, observers });
  for (const [name, value] of headers) note(`> ${name}: ${isShownHeader(name) ? value : "[hidden]"}`);
  const startedAt = performance.now();
  let trace: CallTrace | undefined;
  const onTrace = (found: CallTrace | undefined): void => {
    trace = found;
    if (found !== undefined && terminal.format !== "json") for (const line of traceLines(found, terminal)) terminal.note(line);
  };
  const report = (rest: object): object => ({
    target: given,
    ...rest,
    attempts: narrator.attempts,
    ms: Math.round(performance.now() - startedAt),
    ...(trace === undefined ? {} : { trace }),
  });
  const init = { headers, signal: AbortSignal.any([io.signal, unanswered.signal]), mesh: callOptionsOf(values) };
  try {
    const result = await callRpc({ mesh, target, init, data, descriptors: values.descriptors, terminal, note, onTrace });
    if (terminal.format === "json") await terminal.json(report({ ...result.report, error: null }));
    return result.exitCode;
  } catch (error) {
    if (io.signal.aborted || error instanceof UsageError) throw error;
    onTrace(traceOf(error));
    if (terminal.format === "json" && isMeshError(error)) {
      const { code, message, maybeExecuted } = error;
      await terminal.json(report({ messages: [], status: null, error: { code, message, maybeExecuted } }));
    }
    terminal.note(`inmesh: ${failureText(error)}`);
    return exitCodeOfError(error);
  } finally {
    await mesh.close();
  }
}
