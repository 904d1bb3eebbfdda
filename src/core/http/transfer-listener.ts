/**
 * Learns how the attempts of one request go over the wire, for callers that wait for no response object: a handler of undici. A request that is sent
 * again tells it all again. It must not throw.
 */
export interface TransferListener {
  /** A part of the body was handed to a connection. */
  bodySent(chunk: Uint8Array): void;
  /** The whole request was handed to a connection. */
  requestSent(): void;
  /** The first byte of a response has come, as far as the wire tells. */
  responseStarted(): void;
  /** An informational response (1xx); `headers` are names and values in turn. */
  information(status: number, headers: readonly string[], statusText: string): void;
}
