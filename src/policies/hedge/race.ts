import { Cancellation } from "../../core/cancellation.ts";
import type { Dispatch, MeshRequest, MeshResponse } from "../../core/dispatch.ts";
import { isFailedResponse } from "../retry/retry-decision.ts";

/** The reason with which the slower attempt is cancelled. */
export const superseded = new DOMException("another attempt of the same call was faster", "AbortError");

/** The attempts of one call that are in flight side by side. The first success is the result, or else the last failure. */
export class Race {
  readonly #request: MeshRequest;
  readonly #send: Dispatch;
  readonly #resolve: (response: MeshResponse) => void;
  readonly #reject: (error: unknown) => void;
  readonly #running = new Set<Cancellation>();
  /** A response that is a failure, while another attempt may still succeed. */
  #failed: MeshResponse | undefined = undefined;
  readonly #onEnd: () => void;
  #isOver = false;

  /** @param onEnd called when the result is there */
  constructor(
    request: MeshRequest,
    send: Dispatch,
    resolve: (response: MeshResponse) => void,
    reject: (error: unknown) => void,
    onEnd: () => void,
  ) {
    this.#request = request;
    this.#send = send;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#onEnd = onEnd;
  }

  /** Whether the first attempt is in flight. After its failure the retries decide, not the hedge. */
  get isOpen(): boolean {
    return !this.#isOver && this.#running.size > 0;
  }

  /** Sends one more attempt. `onWon` is called when its response is the result. */
  enter(onWon?: () => void): void {
    const { cancellation: call } = this.#request;
    const cancellation = new Cancellation();
    call.onCancel(cancellation);
    const forget = () => call.removeListener(cancellation);
    this.#running.add(cancellation);
    this.#send({ ...this.#request, cancellation }).then(
      (response) => {
        response.body.onClose(forget);
        this.#running.delete(cancellation);
        this.#answered(response, onWon);
      },
      (error: unknown) => {
        forget();
        this.#running.delete(cancellation);
        this.#failedWith(error);
      },
    );
  }

  #answered(response: MeshResponse, onWon: (() => void) | undefined): void {
    if (this.#isOver) {
      response.body.cancel(superseded);
      return;
    }
    if (isFailedResponse(response) && this.#running.size > 0) {
      this.#failed?.body.discard();
      this.#failed = response;
      return;
    }
    this.#end();
    this.#failed?.body.discard();
    for (const loser of this.#running) loser.cancel(superseded);
    if (!isFailedResponse(response)) onWon?.();
    this.#resolve(response);
  }

  #failedWith(error: unknown): void {
    if (this.#isOver || this.#running.size > 0) return;
    this.#end();
    if (this.#failed === undefined) this.#reject(error);
    else this.#resolve(this.#failed);
  }

  #end(): void {
    this.#isOver = true;
    this.#onEnd();
  }
}
