import type { DispatchHandler, DispatchOptions } from "../undici/undici.ts";

/** The connections to one instance, as a pool of undici or of this room has them. */
export interface Connections {
  /** Sends a request now, or when there is a connection for it; what goes wrong is told to the handler. */
  dispatch(options: DispatchOptions, handler: DispatchHandler): unknown;
  /** Takes no more requests. Resolves when those it has have ended and its connections are closed. */
  close(): Promise<void>;
  /** Ends everything now. */
  destroy(): Promise<void>;
}

/** A handler with more than the methods of undici. */
export interface QueuedHandler {
  /** Whether it is told of informational responses. */
  readonly wantsInformation?: boolean;
  /** Tells how to leave while it waits for a connection, before `onConnect`. */
  onQueued?(leave: () => void): void;
}
