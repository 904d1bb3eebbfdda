/** Bytes a stream takes ahead of its reader: a few reads of the socket, so that it does not stop after each of them. */
export const streamAheadBytes = 262_144;

/** Streams that nobody holds any more: what they wait for will not be read, and its connection would be taken until the deadline. */
export const droppedStreams: FinalizationRegistry<{ cancel(): void }> = new FinalizationRegistry((body) => body.cancel());

/** Ends a byte stream: with all that was put into it, or with the error that ended its body. */
export function endByteStream(controller: ReadableByteStreamController, error: unknown): void {
  if (error !== undefined) {
    controller.error(error);
    return;
  }
  try {
    controller.close();
    // A reader that brought its own buffer waits until it is answered (Streams standard, byte streams).
    controller.byobRequest?.respond(0);
  } catch {
    // The reader asked for elements of several bytes and the body ends inside one: the stream has told it.
  }
}
