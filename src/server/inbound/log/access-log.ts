import type { Clock, Random } from "../../../core/clock.ts";
import { fenceResult } from "../../../core/observing/fence.ts";
import type { Observer } from "../../../core/observing/observer.ts";
import { rpcStatusName } from "../../../core/rpc/rpc-status.ts";
import type { InboundPart, InboundRequest } from "../inbound-request.ts";
import { isSentWhole } from "../reply-state.ts";
import type { AccessLogSettings } from "./access-log-options.ts";
import { toFile, toStandardOutput } from "./log-targets.ts";
import { isoTime, jsonText, nginxText, nginxTime, redactedTarget } from "./log-text.ts";
import { LogWriter, type WriteLines } from "./log-writer.ts";
import { type UpstreamCall, UpstreamCalls, UpstreamWatch } from "./upstream-calls.ts";
import { nginxSeconds, upstreamJson, upstreamNginx } from "./upstream-text.ts";

/** Adds an observer to a mesh; returns the function that removes it. */
export type Observe = (observer: Observer) => () => void;

/** The parts that an {@link AccessLog} works with. */
export interface AccessLogParts {
  readonly clock: Clock;
  readonly random: Random;
  /** The mesh whose calls are logged with the requests that they are made for; `undefined` for none. */
  readonly observe: Observe | undefined;
}

/** Headers of which a line says only that they were there. */
const secretHeaders =
  /^(?:authorization|proxy-authorization|cookie|set-cookie|x-.*(?:token|key|secret|auth|cert).*|.*(?:api-?key|secret|password).*)$/;

/** A line for each request that has ended, refused ones included; see {@link LogWriter} for how it is written. */
export class AccessLog implements InboundPart {
  readonly name = "access log";
  readonly #settings: AccessLogSettings;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #headers: readonly string[];
  readonly #writer: LogWriter;
  readonly #upstreams: UpstreamWatch | undefined;
  readonly #unobserve: (() => void) | undefined;

  constructor(settings: AccessLogSettings, { clock, random, observe }: AccessLogParts) {
    this.#settings = settings;
    this.#clock = clock;
    this.#random = random;
    this.#headers = settings.headers.map((name) => name.toLowerCase());
    this.#writer = new LogWriter({
      write: writeOf(settings),
      clock,
      maxBuffered: settings.maxBuffered,
      sayDropped: (count) => this.#droppedLine(count),
    });
    const { format, maxUpstreams } = settings;
    const isWatching = observe !== undefined && maxUpstreams > 0 && format !== "combined";
    this.#upstreams = isWatching ? new UpstreamWatch(maxUpstreams, clock) : undefined;
    this.#unobserve = this.#upstreams && observe?.(this.#upstreams);
  }

  arrive(record: InboundRequest): boolean {
    record.writtenBefore = "stream" in record.request ? 0 : record.peer.bytesWritten;
    if (this.#upstreams !== undefined) record.upstreams = new UpstreamCalls(this.#upstreams);
    return false;
  }

  leave(record: InboundRequest): void {
    const isWhole = isSentWhole(record.reply);
    const { sample, format } = this.#settings;
    const calls = record.upstreams?.end() ?? [];
    if (sample < 1 && isWhole && record.reply.statusCode < 500 && this.#random() >= sample) return;
    if (format === "json") this.#writer.add(this.#jsonLine(record, isWhole, calls));
    else this.#writer.add(`${this.#combinedLine(record)}${format === "combined" ? "" : this.#upstreamEnd(record, calls)}\n`);
  }

  /** Writes what is left. */
  close(): Promise<void> {
    this.#unobserve?.();
    return this.#writer.close();
  }

  #upstreamEnd({ startedAt }: InboundRequest, calls: readonly UpstreamCall[]): string {
    return ` ${nginxSeconds(this.#clock.now() - startedAt)} ${upstreamNginx(calls)}`;
  }

  #jsonLine(record: InboundRequest, isWhole: boolean, calls: readonly UpstreamCall[]): string {
    const { peer, method, attempt, remainingMs, refusedBy, route, authorization } = record;
    const endedAt = this.#clock.now();
    const ms = Math.round((endedAt - record.startedAt) * 1_000) / 1_000;
    let line = `{"time":"${isoTime(this.#clock.wallNow())}","peer":"${peer.address ?? "unix"}"`;
    if (record.identity !== undefined) line += `,"identity":${jsonText(record.identity)}`;
    line += `,"method":${jsonText(method)},"target":${jsonText(redactedTarget(record.target, this.#settings.query))}`;
    if (route !== undefined) line += `,"route":${jsonText(route)}`;
    line += `,"protocol":"HTTP/${record.httpVersion}","status":${statusOf(record) ?? "null"},"ms":${ms}`;
    const { rpcStatus } = record;
    if (rpcStatus !== undefined) line += `,"grpcStatus":"${rpcStatusName(rpcStatus)}"`;
    const bytes = bytesOf(record);
    if (bytes !== undefined) line += `,"bytes":${bytes}`;
    if (!isWhole) line += ',"cutOff":true';
    if (refusedBy !== undefined) line += `,"refusedBy":${jsonText(refusedBy)}`;
    if (authorization !== undefined) line += `,"authorization":"${authorization.decision}"`;
    if (authorization?.ruleId !== undefined) line += `,"rule":${jsonText(authorization.ruleId)}`;
    if (attempt > 1) line += `,"attempt":${attempt}`;
    if (remainingMs !== Number.POSITIVE_INFINITY) line += `,"deadlineMs":${remainingMs}`;
    line += upstreamJson(calls, record.upstreams?.more ?? 0);
    const userAgent = record.header("user-agent");
    if (userAgent !== undefined) line += `,"userAgent":${jsonText(userAgent)}`;
    const trace = record.header("traceparent");
    if (trace !== undefined && /^[\da-f]{2}-[\da-f]{32}-/.test(trace)) line += `,"traceId":"${trace.slice(3, 35)}"`;
    for (const name of this.#headers) {
      const value = record.header(name);
      if (value !== undefined) line += `,${jsonText(name)}:${secretHeaders.test(name) ? '"REDACTED"' : jsonText(value)}`;
    }
    return `${line}}\n`;
  }

  #combinedLine(record: InboundRequest): string {
    const { peer, method } = record;
    const target = redactedTarget(record.target, this.#settings.query);
    const referer = record.header("referer");
    const from = referer === undefined ? undefined : redactedTarget(referer, this.#settings.query);
    const request = nginxText(`${method} ${target} HTTP/${record.httpVersion}`);
    return (
      `${peer.address ?? "unix:"} - ${nginxText(record.identity)} [${nginxTime(this.#clock.wallNow())}] "${request}" ` +
      `${statusOf(record) ?? 499} ${bytesOf(record) ?? 0} "${nginxText(from)}" "${nginxText(record.header("user-agent"))}"`
    );
  }

  #droppedLine(count: number): string {
    const text = `${count} lines of the access log were dropped`;
    const now = this.#clock.wallNow();
    return this.#settings.format === "json"
      ? `{"time":"${isoTime(now)}","dropped":${count},"message":${jsonText(text)}}\n`
      : `- - - [${nginxTime(now)}] "${text}" 0 0 "-" "-"\n`;
  }
}

/** The status that was sent: of a call of gRPC, which counts by its own, that of HTTP. */
function statusOf({ reply, isRpc }: InboundRequest): number | undefined {
  return reply.headersSent ? (isRpc ? 200 : reply.statusCode) : undefined;
}

/** Bytes of the body on the connection, with the marks of its chunks; of HTTP/2 what the response says. */
function bytesOf({ reply, peer, writtenBefore, request }: InboundRequest): number | undefined {
  if ("stream" in request) {
    const length = reply.getHeader("content-length");
    return length === undefined ? undefined : Number(length);
  }
  const { _header: head } = reply as { readonly _header?: unknown };
  return Math.max(0, peer.bytesWritten - writtenBefore - (typeof head === "string" ? head.length : 0));
}

function writeOf({ write, file }: AccessLogSettings): WriteLines {
  if (write !== undefined)
    return async (lines) => {
      const result: unknown = write(lines);
      fenceResult("the function accessLog.write", result);
      await result;
    };
  return file === undefined ? toStandardOutput(process) : toFile(file);
}
