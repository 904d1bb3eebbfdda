import { isShownHeader, looksSecret } from "../../core/http/secret-headers.ts";
import { withoutQuery } from "../../core/http/without-query.ts";
import { parseTarget, type Target } from "../../extend.ts";
import { type CallTrace, createMesh, isMeshError, traceOf } from "../../index.ts";
import { type Call, type Command, command as declare } from "../command.ts";
import { fetchOptions } from "../fetch/fetch-options.ts";
import { firstErrorOf } from "../fetch/first-error.ts";
import { meshOptions } from "../fetch/mesh-options.ts";
import { Narrator } from "../fetch/narrator.ts";
import { bodyText, exitCodeOfError, exitCodeOfStatus, type FetchReport, failureText } from "../fetch/outcome.ts";
import { requestOf } from "../fetch/request.ts";
import { traceLines } from "../fetch/trace-view.ts";
import { formatOption } from "../option-table.ts";
import { registryOptions } from "../registry/registry-options.ts";
import { registrySource } from "../registry/registry-source.ts";
import { fetchRpc } from "../rpc/fetch-rpc.ts";
import { rpcScheme } from "../rpc/rpc-target.ts";
import { plain } from "../terminal/plain.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { UsageError } from "../usage-error.ts";

/** In the place of a query, which may hold secrets. */
const hidden = "?[hidden]";

const options = { ...registryOptions, ...fetchOptions, ...formatOption };

/** `inmesh fetch TARGET`. */
export const command: Command = declare({
  description:
    "Calls service/path on an instance that discovery knows, with the retries, time limits and choices of a mesh, and writes the body of the\nresponse. The exit code says whether a failed request may have been executed.\n\nWith grpc://service/package.Service/Method it is a call of gRPC: the messages of --data are JSON, and each message of the answer is a line of JSON. The\ninstance describes its messages by reflection, or --descriptors does.",
  positionals: ["TARGET"],
  options,
  examples: [
    "inmesh fetch orders/42 -v",
    "inmesh fetch orders/ -X POST -H 'content-type: application/json' -d @order.json --timeout 2s",
    'inmesh fetch grpc://orders/shop.v1.Orders/Get -d \'{"id":"42"}\'',
  ],
  run,
});

// Over 60 lines: one call from its options to its exit code, whose parts share the report.
async function run(call: Call<typeof options>): Promise<number> {
  const {
    values,
    positionals: [target = ""],
    terminal,
    io,
  } = call;
  if (target.startsWith(rpcScheme)) return await fetchRpc(call);
  if (values.descriptors !== undefined)
    throw new UsageError("--descriptors is for calls of gRPC: inmesh fetch grpc://SERVICE/package.Service/Method");
  const { service, path } = targetOf(target);
  const source = await registrySource(values, io, terminal);
  const request = await requestOf(values, io, terminal);
  const note = (text: string): void => {
    if (values.verbose === true) terminal.note(text, text.startsWith("* ") ? "dim" : undefined);
  };
  const narrator = new Narrator(source.discovery.name ?? "discovery", (text) => note(`* ${text}`));
  const unanswered = new AbortController();
  const observers = [narrator, firstErrorOf(service, (error) => unanswered.abort(error))];
  const mesh = createMesh({ ...(await meshOptions(values)), discovery: source.discovery, observers });
  note(`> ${request.method} ${withoutQuery(path, hidden)} of ${service}`);
  for (const [name, value] of request.headers) note(`> ${name}: ${isShownHeader(name) ? value : "[hidden]"}`);
  const startedAt = performance.now();
  let trace: CallTrace | undefined;
  const showTrace = (result: unknown): void => {
    trace = traceOf(result);
    if (trace === undefined || terminal.format === "json") return;
    for (const line of traceLines(trace, terminal)) terminal.note(line);
  };
  const report = (response: FetchReport["response"], error: FetchReport["error"]): FetchReport => ({
    target: withoutQuery(target, hidden),
    method: request.method,
    response,
    error,
    attempts: narrator.attempts,
    ms: Math.round(performance.now() - startedAt),
    ...(trace === undefined ? {} : { trace }),
  });
  let head: Omit<NonNullable<FetchReport["response"]>, "body" | "bodyEncoding"> | undefined;
  try {
    const response = await mesh.fetch(target, { ...request, signal: AbortSignal.any([io.signal, unanswered.signal]) });
    showTrace(response);
    head = { status: response.status, statusText: response.statusText, headers: [...response.headers] };
    const lines = [`HTTP ${head.status} ${head.statusText}`.trimEnd(), ...head.headers.map(([name, value]) => `${name}: ${value}`)];
    note(`< ${lines[0]}`);
    for (const [name, value] of head.headers) note(`< ${name}: ${looksSecret(name) ? "[hidden]" : value}`);
    if (terminal.format === "json") {
      const text = bodyText(await response.bytes());
      await mesh.close();
      await terminal.json(report({ ...head, ...text }, null));
    } else {
      if (values.include === true) await terminal.lines([...lines.map(plain), ""]);
      await writeBody(response, terminal, values.binary === true);
    }
    return exitCodeOfStatus(head.status);
  } catch (error) {
    if (io.signal.aborted) throw error;
    if (head === undefined) showTrace(error);
    if (error instanceof TypeError && head === undefined && !isMeshError(error)) throw new UsageError(error.message, { cause: error });
    if (terminal.format === "json" && isMeshError(error)) {
      const { code, maybeExecuted } = error;
      await mesh.close();
      const response = head === undefined ? null : { ...head, body: null, bodyEncoding: "utf8" as const };
      await terminal.json(report(response, { code, message: error.message, maybeExecuted }));
    }
    terminal.note(`inmesh: ${failureText(error)}`);
    return exitCodeOfError(error);
  } finally {
    await mesh.close();
  }
}

/** @throws UsageError without the query, which may hold secrets. */
function targetOf(target: string): Target {
  try {
    return parseTarget(target);
  } catch (error) {
    throw new UsageError(hideQuery((error as Error).message), { cause: error });
  }
}

/** The message quotes the target. */
function hideQuery(message: string): string {
  const start = message.indexOf("?");
  const end = message.lastIndexOf('" is refused:');
  return start >= 0 && start < end ? `${message.slice(0, start)}${hidden}${message.slice(end)}` : message;
}

/** Writes the body as it arrives. As with curl, a binary one is not written on a terminal. */
async function writeBody(response: Response, terminal: Terminal, isForced: boolean): Promise<void> {
  if (response.body === null) return;
  let isFirst = true;
  for await (const chunk of response.body) {
    if (isFirst && terminal.isInteractive && !isForced && chunk.includes(0)) {
      terminal.note("inmesh: the body is binary and could mess up the terminal; write it into a file (> FILE), or give --binary", "yellow");
      return;
    }
    isFirst = false;
    await terminal.raw(chunk);
  }
}
