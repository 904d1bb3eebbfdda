import { Cancellation } from "../core/cancellation.ts";
import type { Timer } from "../core/clock.ts";
import type { MeshResponse } from "../core/dispatch.ts";
import { type BodyReceiver, type ForwardedBody, isForwarded, type RequestBody } from "../core/http/body.ts";
import { meshRequest } from "../core/mesh-request.ts";
import { fenced } from "../core/observing/fence.ts";
import type { Receiver } from "../core/stages/stage.ts";
import { ifLeftBehind } from "../server/connections/left-behind.ts";
import { endReply, type ServerReply, type ServerRequest } from "../server/node-server.ts";
import { Admission, type Verdict } from "./admission.ts";
import { answerProblem, cutOff, readTheRest } from "./answer.ts";
import type { GatewayParts } from "./gateway-parts.ts";
import { hasBody } from "./judge-request.ts";
import { maybeExecuted, type Problem, problemOf } from "./problem.ts";
import { endWith, ReplyHead, writeHead } from "./reply-head.ts";
import { type BodyRefused, RequestBodyStream, readSmallBody, type SmallBodyReceiver } from "./request-body.ts";

const passageKey = Symbol("inmesh passage");

interface Kept {
  [passageKey]?: Passage;
}

/** The reason with which a call ends whose client has gone. */
const clientGone = new DOMException("The client went away", "AbortError");

/**
 * One request on its way through a gateway: it takes the result of the call and the chunks of the response, so that a request makes no promise and
 * no function of its own.
 */
export class Passage implements Receiver, BodyReceiver, SmallBodyReceiver {
  isWaiting = true;
  readonly #parts: GatewayParts;
  readonly #request: ServerRequest;
  readonly #reply: ServerReply;
  readonly #cancellation = new Cancellation();
  #admission: Admission | undefined = undefined;
  #response: MeshResponse | undefined = undefined;
  #replyHead: ReplyHead | undefined = undefined;
  #body: Pick<ForwardedBody, "resume"> | undefined = undefined;
  /** The chunks of a response that has arrived whole; `undefined` for one that is on its way. */
  #held: Uint8Array[] | undefined = undefined;
  #sendTimer: Timer | undefined = undefined;
  #isDone = false;

  constructor(parts: GatewayParts, request: ServerRequest, reply: ServerReply) {
    this.#parts = parts;
    this.#request = request;
    this.#reply = reply;
  }

  /** Reads the request and sends it. */
  begin(): void {
    const request = this.#request;
    const reply = this.#reply;
    (reply as Kept)[passageKey] = this;
    // One function for all responses, which finds its passage by itself.
    (reply as NodeJS.EventEmitter).on("close", onClose);
    ifLeftBehind(request, reply, () => this.clientGone());
    const admission = new Admission(this.#parts, request);
    this.#admission = admission;
    const verdict = admission.judge();
    if (verdict instanceof Promise) void verdict.then((late) => this.#decide(late));
    else this.#decide(verdict);
  }

  #decide(verdict: Verdict): void {
    if (this.#isDone) return;
    if (verdict === undefined) this.#readBody();
    else this.#answer(verdict);
  }

  #readBody(): void {
    const request = this.#request;
    const { head, maxBodyBytes } = this.#admission as Admission;
    const { headers, contentLength, isChunked } = head;
    const { settings } = this.#parts;
    if (!hasBody(request, contentLength, isChunked)) {
      this.#send(undefined);
      return;
    }
    if (request.headers.expect !== undefined && "writeContinue" in this.#reply) this.#reply.writeContinue();
    const limits = { maxBytes: maxBodyBytes, timeoutMs: settings.bodyTimeoutMs, clock: settings.clock };
    if (contentLength !== undefined && Number(contentLength) <= settings.bufferBytes) {
      readSmallBody(request, limits, this);
      return;
    }
    if (contentLength !== undefined) headers["content-length"] = contentLength;
    this.#send(new RequestBodyStream(request, limits));
  }

  // --- SmallBodyReceiver ---

  read(body: Uint8Array): void {
    this.#send(body);
  }

  unreadable(error: BodyRefused): void {
    this.failed(error);
  }

  #send(body: RequestBody): void {
    const { door, settings } = this.#parts;
    const { path, head } = this.#admission as Admission;
    const request = meshRequest({
      service: settings.service ?? "",
      method: this.#request.method ?? "GET",
      path,
      headers: head.headers,
      body,
      cancellation: this.#cancellation,
    });
    try {
      door.send(request, this);
    } catch (error) {
      this.failed(error);
    }
  }

  // --- Receiver ---

  answered(response: MeshResponse): void {
    const { body } = response;
    if (this.#isDone) {
      body.cancel(clientGone);
      return;
    }
    this.#response = response;
    const head = new ReplyHead(response.headers);
    this.#replyHead = head;
    const { id, answerHeaders } = this.#admission as Admission;
    if (id !== undefined) head.lines.push(id.name, id.value);
    if (answerHeaders !== undefined) head.allow(answerHeaders);
    if (!isForwarded(body)) {
      if (this.#writeHead()) void this.#pump(body.stream());
      return;
    }
    this.#body = body;
    if (body.complete) this.#held = [];
    else if (!this.#writeHead()) return;
    body.forward(this);
  }

  failed(error: unknown): void {
    if (this.#isDone) return;
    if (this.#reply.headersSent) {
      this.#report(error, 0);
      this.#cut();
      return;
    }
    const problem = problemOf(error);
    this.#report(error, problem.status);
    const { tellExecuted } = this.#parts.settings;
    const headers = tellExecuted ? { ...problem.headers, "x-maybe-executed": String(maybeExecuted(error)) } : problem.headers;
    if (problem.status === 0) this.#cut();
    else this.#answer({ ...problem, headers });
  }

  // --- BodyReceiver ---

  take(chunk: Uint8Array): boolean {
    if (this.#held !== undefined) {
      this.#held.push(chunk);
      return true;
    }
    if (this.#isDone) return true;
    if ((this.#reply as NodeJS.WritableStream).write(chunk)) return true;
    this.#pause();
    return false;
  }

  end(error: unknown): void {
    if (this.#isDone) return;
    const held = this.#held;
    if (error !== undefined) this.failed(error);
    else if (held !== undefined) this.#finishWhole(held);
    else this.#finish();
  }

  /** The client takes data again. */
  drained(): void {
    this.#clearTimer();
    this.isWaiting = true;
    this.#body?.resume();
  }

  /** The response has been sent, or its connection has closed. */
  clientGone(): void {
    this.#clearTimer();
    if (this.#isDone) return;
    this.#isDone = true;
    this.#cancellation.cancel(clientGone);
  }

  // --- inside ---

  /** A response that was whole when its head came: one write. */
  #finishWhole(held: readonly Uint8Array[]): void {
    const response = this.#response as MeshResponse;
    const head = this.#replyHead as ReplyHead;
    if (response.body.trailers.length > 0) {
      this.#held = undefined;
      if (!this.#writeHead()) return;
      for (const chunk of held) (this.#reply as NodeJS.WritableStream).write(chunk);
      this.#finish();
      return;
    }
    const content = held.length === 0 ? undefined : held.length === 1 ? held[0] : Buffer.concat(held);
    if (!head.hasLength && content !== undefined) head.lines.push("content-length", String(content.byteLength));
    if (!this.#writeHead()) return;
    this.#isDone = true;
    if (content === undefined) endReply(this.#reply);
    else endWith(this.#reply, content);
    this.#linger();
  }

  #finish(): void {
    const { trailers } = (this.#response as MeshResponse).body;
    this.#clearTimer();
    if (trailers.length > 0 && (this.#request.httpVersionMajor >= 2 || this.#admission?.head.takesTrailers))
      this.#reply.addTrailers((this.#replyHead as ReplyHead).trailersOf(trailers));
    this.#isDone = true;
    endReply(this.#reply);
    this.#linger();
  }

  /** Writes the head of the response. `false`: it cannot be written, and the request has failed. */
  #writeHead(): boolean {
    const response = this.#response as MeshResponse;
    try {
      writeHead(this.#reply, response, (this.#replyHead as ReplyHead).lines);
      return true;
    } catch (error) {
      response.body.cancel(error);
      this.failed(error);
      return false;
    }
  }

  /** Reads a body that a layer has put its own around. */
  async #pump(stream: ReadableStream<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of stream) {
        if (this.#isDone) return;
        if (!this.take(chunk)) await new Promise<void>((resolve) => (this.#body = { resume: resolve }));
      }
      this.end(undefined);
    } catch (error) {
      this.end(error);
    }
  }

  #pause(): void {
    this.isWaiting = false;
    const { clock, sendTimeoutMs } = this.#parts.settings;
    this.#sendTimer = clock.setTimer(() => this.#cut(), sendTimeoutMs);
    (this.#reply as NodeJS.EventEmitter).once("drain", onDrain);
  }

  #clearTimer(): void {
    if (this.#sendTimer === undefined) return;
    this.#parts.settings.clock.clearTimer(this.#sendTimer);
    this.#sendTimer = undefined;
  }

  /** Ends a response that cannot be whole, so that the client sees it. */
  #cut(): void {
    cutOff(this.#reply);
    this.clientGone();
  }

  #answer(problem: Problem): void {
    this.#isDone = true;
    answerProblem(this.#request, this.#reply, problem, this.#admission as Admission);
    this.#linger();
  }

  #linger(): void {
    readTheRest(this.#request, this.#parts.settings.clock);
  }

  #report(error: unknown, status: number): void {
    const { onFailure } = this.#parts.settings;
    if (onFailure !== undefined)
      fenced("onFailure of a gateway", () => onFailure({ error, status, requestId: this.#admission?.id?.value }));
  }
}

function onClose(this: ServerReply): void {
  (this as Kept)[passageKey]?.clientGone();
}

function onDrain(this: ServerReply): void {
  (this as Kept)[passageKey]?.drained();
}
