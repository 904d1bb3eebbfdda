import type { Clock, Timer } from "../core/clock.ts";
import type { MeshRequest, MeshResponse } from "../core/dispatch.ts";
import type { CloseListener, ContentVerdict, ResponseBody } from "../core/http/body.ts";
import { headerOf } from "../core/http/response-headers.ts";

/** How long the decoding of a body that has arrived whole is waited for, in milliseconds: its caller may never read it. */
const waitMs = 1_000;

/** No content, none again, a part, and a difference (RFC 9110 §15.3, RFC 3229). */
const withoutWhole: ReadonlySet<number> = new Set([204, 205, 206, 226]);

/**
 * Whether the content of a response is decoded, and says something of the instance when it does not decode: that of a success which is whole (206
 * is a part, as its caller has asked for). Of every other answer the status says all.
 */
export function isDecoded({ decodes, method }: MeshRequest, response: MeshResponse): boolean {
  if (!decodes || method === "HEAD" || response.status < 200 || response.status > 299 || withoutWhole.has(response.status)) return false;
  return headerOf(response, "content-encoding") !== undefined;
}

/** Judges the end of an attempt by the content of its response. */
export interface ContentJudge {
  /**
   * The decoding has ended, or is not waited for any longer. An error may come before the end of the attempt, which it is, and after an attempt
   * that was not waited for longer has been judged.
   */
  judgeContent(error: unknown): void;
}

/**
 * The content of a body that is decoded where it is read, which often begins when its last byte has arrived. An instance whose bodies do not
 * decode would count as well until then, and each time anew: so the end of its attempt is not judged before the decoding has ended. It is not
 * waited for long, and holds nothing but its own timer, which keeps no process alive.
 */
export class DecodedContent implements ContentVerdict {
  readonly #clock: Clock;
  readonly #judge: ContentJudge;
  #timer: Timer = undefined;
  #isAwaited = false;
  #isSettled = false;
  #listeners: CloseListener[] = [];
  #failure: unknown = undefined;
  /** Whether the decoding has ended or is not waited for any longer. */
  #isOver = false;

  constructor(body: ResponseBody, clock: Clock, judge: ContentJudge) {
    this.#clock = clock;
    this.#judge = judge;
    body.content = this;
  }

  settle(error: unknown, failure: unknown = error): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#clock.clearTimer(this.#timer);
    if (this.#isAwaited || error !== undefined) this.#judge.judgeContent(error);
    this.#isAwaited = false;
    this.#tell(failure);
  }

  onSettled(listener: CloseListener): void {
    if (this.#isOver) listener(this.#failure);
    else this.#listeners.push(listener);
  }

  /** The body has arrived whole. Returns whether the verdict is still to come. */
  isOpen(): boolean {
    if (this.#isSettled) return false;
    this.#isAwaited = true;
    this.#timer = this.#clock.setTimer(() => this.#stopWaiting(), waitMs, false);
    return true;
  }

  #stopWaiting(): void {
    this.#isAwaited = false;
    this.#judge.judgeContent(undefined);
    this.#tell(undefined);
  }

  #tell(failure: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = failure;
    for (const listener of this.#listeners.splice(0)) listener(failure);
  }
}
