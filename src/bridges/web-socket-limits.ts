import { inspect } from "node:util";

/** The limits of a message that a `WebSocket` takes: with a larger one, it fails. */
export interface WebSocketLimits {
  /** Frames that a message comes in; 0: any number. @default 131072 */
  readonly maxFragments?: number;
  /** Bytes of a message, decompressed; 0: any number. @default 134217728 */
  readonly maxPayloadSize?: number;
}

/** Those of undici's own dispatchers. A dispatcher that tells none has none: a small message that is compressed could take all memory. */
const defaults: Required<WebSocketLimits> = { maxFragments: 131_072, maxPayloadSize: 128 * 2 ** 20 };

/**
 * The limits with their defaults.
 * @throws RangeError naming the limit.
 */
export function checkedWebSocketLimits({ maxFragments, maxPayloadSize }: WebSocketLimits): Required<WebSocketLimits> {
  const given = { ...(maxFragments !== undefined && { maxFragments }), ...(maxPayloadSize !== undefined && { maxPayloadSize }) };
  for (const [name, value] of Object.entries(given)) {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new RangeError(`dispatcher: webSocket.${name} must be a whole number from 0, got ${inspect(value)}`);
  }
  return { ...defaults, ...given };
}
