/** Bytes that a stream buffers ahead of its reader: several reads of the socket, so that the socket is not paused after each. */
export const streamAheadBytes = 262_144;

/** Cancels the body of a stream that is garbage-collected before its end: otherwise its connection would be taken until the deadline. */
export const droppedStreams: FinalizationRegistry<{ cancel(): void }> = new FinalizationRegistry((body) => body.cancel());

/** Ends a byte stream: closes it after the chunks that it has got, or fails it with the error of its body. */
export function endByteStream(controller: ReadableByteStreamController, error: unknown): void {
  if (error !== undefined) {
    controller.error(error);
    return;
  }
  try {
    controller.close();
    // A pending read into a buffer of the reader settles only with a response (Streams standard, byte streams).
    controller.byobRequest?.respond(0);
  } catch {
    // The reader reads elements of several bytes and the body ends within one: the stream itself has failed that read.
  }
}
