import { Buffer } from "node:buffer";

/** The statuses of `grpc.health.v1`, by their numbers. */
export const servingNumbers = { SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const;

/** The status of a service, as gRPC's health service says it. */
export type ServingStatus = keyof typeof servingNumbers;

/** Longest name of a service that is asked for. */
const maxName = 1_024;
/** The longest request: the frame, the field and its length, and the name. */
export const maxHealthRequest = maxName + 16;

/**
 * The name in a framed `HealthCheckRequest`; empty for the process as a whole.
 * @throws Error for bytes that are none.
 */
export function askedService(frame: Buffer): string {
  if (frame.length < 5 || frame.readUInt32BE(1) !== frame.length - 5) throw new Error("not one message in a frame");
  if (frame[0] !== 0) throw new Error("compressed messages are not read here");
  let name: Buffer = Buffer.alloc(0);
  for (let at = 5; at < frame.length; ) {
    // Field 1 is the name, and has a length; of others only those are skipped that have one too.
    const tag = frame[at] ?? 0;
    if ((tag & 0x87) !== 0x02) throw new Error("no HealthCheckRequest");
    const { value: length, next } = varintAt(frame, at + 1);
    if (next + length > frame.length) throw new Error("no HealthCheckRequest");
    if (tag === 0x0a) name = frame.subarray(next, next + length);
    at = next + length;
  }
  return name.toString("utf8");
}

/** A `HealthCheckResponse` in its frame. */
export function healthAnswer(status: ServingStatus): Buffer {
  return framed(Buffer.from([0x08, servingNumbers[status]]));
}

/** The answer of `List` in its frame. */
export function healthList(statuses: readonly (readonly [service: string, status: ServingStatus])[]): Buffer {
  return framed(
    Buffer.concat(
      statuses.map(([service, status]) => {
        const entry = Buffer.concat([delimited(0x0a, Buffer.from(service)), delimited(0x12, Buffer.from([0x08, servingNumbers[status]]))]);
        return delimited(0x0a, entry);
      }),
    ),
  );
}

function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function delimited(tag: number, bytes: Buffer): Buffer {
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([tag, ...length, rest]), bytes]);
}

function varintAt(bytes: Buffer, start: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let index = 0; index < 4; index++) {
    const byte = bytes[start + index];
    if (byte === undefined) break;
    value |= (byte & 0x7f) << (7 * index);
    if (byte < 0x80) return { value, next: start + index + 1 };
  }
  throw new Error("no HealthCheckRequest");
}
