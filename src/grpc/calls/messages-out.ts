/** A frame on its way out, and the end of the wait of its writer. */
interface Frame {
  readonly bytes: Uint8Array | Promise<Uint8Array>;
  readonly taken: (() => void) | undefined;
}

/**
 * The messages of a call that streams them, as the body of its request. The writer of a message is told that it may go on once the connection has asked for the
 * next one: so it has the pace of the instance.
 */
export class MessagesOut implements AsyncIterableIterator<Uint8Array> {
  readonly #frames: Frame[] = [];
  /** The connection waits for a frame. */
  #asked: ((result: IteratorResult<Uint8Array> | Promise<IteratorResult<Uint8Array>>) => void) | undefined = undefined;
  /** The frame that the connection has and may not have written. */
  #last: (() => void) | undefined = undefined;
  #hasEnded = false;

  push(bytes: Frame["bytes"], taken: Frame["taken"]): void {
    if (this.#hasEnded) {
      taken?.();
      return;
    }
    const asked = this.#asked;
    this.#asked = undefined;
    if (asked === undefined) this.#frames.push({ bytes, taken });
    else {
      this.#last = taken;
      asked(resultOf(bytes));
    }
  }

  /** No message follows. */
  end(): void {
    this.#hasEnded = true;
    this.#asked?.({ done: true, value: undefined });
    this.#asked = undefined;
  }

  /** The call has ended: those that wait to write are let go, and what they wrote is not sent. */
  close(): void {
    this.end();
    this.#release();
    for (const { taken } of this.#frames.splice(0)) taken?.();
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    this.#release();
    const frame = this.#frames.shift();
    if (frame !== undefined) {
      this.#last = frame.taken;
      return Promise.resolve(resultOf(frame.bytes));
    }
    if (this.#hasEnded) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#asked = resolve;
    });
  }

  /** The connection takes no more: the answer has come to its end. */
  return(): Promise<IteratorResult<Uint8Array>> {
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #release(): void {
    const taken = this.#last;
    this.#last = undefined;
    taken?.();
  }
}

function resultOf(bytes: Frame["bytes"]): IteratorResult<Uint8Array> | Promise<IteratorResult<Uint8Array>> {
  return bytes instanceof Promise ? bytes.then((value) => ({ done: false, value })) : { done: false, value: bytes };
}
