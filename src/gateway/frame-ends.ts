/** Follows the frames of a WebSocket (RFC 6455, section 5.2) in bytes that pass, and says where one ends. */
export class FrameEnds {
  /** Bytes of the head of a frame, as far as they have come. */
  #head: number[] = [];
  /** Bytes that are left of the content of a frame. */
  #left = 0;

  /** Whether the bytes up to now end with a whole frame. */
  get isBetween(): boolean {
    return this.#left === 0 && this.#head.length === 0;
  }

  /** Takes the next bytes. Returns how many of them belong to the frame that was under way before; all of them where it goes on. */
  pass(chunk: Uint8Array): number {
    let first: number | undefined = this.isBetween ? 0 : undefined;
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length - at);
        this.#left -= taken;
        at += taken;
      } else this.#readHead(chunk[at++] as number);
      if (this.isBetween) first ??= at;
    }
    return first ?? chunk.length;
  }

  #readHead(byte: number): void {
    const head = this.#head;
    head.push(byte);
    if (head.length < 2) return;
    const length = (head[1] as number) & 0x7f;
    const bytesOfLength = length === 126 ? 2 : length === 127 ? 8 : 0;
    const isMasked = ((head[1] as number) & 0x80) !== 0;
    if (head.length < 2 + bytesOfLength + (isMasked ? 4 : 0)) return;
    this.#left = bytesOfLength === 0 ? length : head.slice(2, 2 + bytesOfLength).reduce((sum, each) => sum * 256 + each, 0);
    this.#head = [];
  }
}
