import { Buffer } from "node:buffer";
import { delimited, varintAt } from "./wire-format.ts";

// The messages of `grpc.health.v1`, as both sides write and read them; each without its frame.

const servingNumbers = { SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const;
const servingNames = ["UNKNOWN", ...Object.keys(servingNumbers)];

/** The status of a service, as gRPC's health service says it. */
export type ServingStatus = keyof typeof servingNumbers;

/** Longest name of a service that is asked for. */
const maxName = 1_024;
/** The longest request with its frame: that, the field and its length, and the name. */
export const maxHealthRequest = maxName + 16;

/** A `HealthCheckRequest`; an empty name is the process as a whole. */
export function writeHealthRequest(service: string): Buffer {
  // Protocol Buffers leave out an empty field.
  return service === "" ? Buffer.alloc(0) : delimited(0x0a, Buffer.from(service));
}

/**
 * The name in a `HealthCheckRequest`; empty for the process as a whole.
 * @throws Error for bytes that are none.
 */
export function readHealthRequest(message: Buffer): string {
  let name: Buffer = Buffer.alloc(0);
  for (let at = 0; at < message.length; ) {
    // Field 1 is the name, and has a length; of others only those are skipped that have one too.
    const tag = message[at] ?? 0;
    const length = (tag & 0x87) === 0x02 ? varintAt(message, at + 1) : undefined;
    if (length === undefined || length.next + length.value > message.length) throw new Error("no HealthCheckRequest");
    at = length.next + length.value;
    if (tag === 0x0a) name = message.subarray(length.next, at);
  }
  return name.toString("utf8");
}

/** A `HealthCheckResponse`. */
export function writeHealthAnswer(status: ServingStatus): Buffer {
  return Buffer.from([0x08, servingNumbers[status]]);
}

/** The answer of `List`. */
export function writeHealthList(statuses: readonly (readonly [service: string, status: ServingStatus])[]): Buffer {
  const entries = statuses.map(([service, status]) =>
    delimited(0x0a, Buffer.concat([delimited(0x0a, Buffer.from(service)), delimited(0x12, writeHealthAnswer(status))])),
  );
  return Buffer.concat(entries);
}

/**
 * The status in a `HealthCheckResponse`: `SERVING`, `NOT_SERVING`, …
 * @throws Error for bytes that are none.
 */
export function readHealthAnswer(message: Uint8Array): string {
  let status = 0;
  let at = 0;
  const next = (): number => {
    const found = varintAt(message, at);
    if (found === undefined) throw new Error("the answer is no HealthCheckResponse");
    at = found.next;
    return found.value;
  };
  while (at < message.byteLength) {
    const tag = next();
    // Field 1 is the status. Fields that a later version may add are skipped if they are varints or have a length.
    if (tag === 0x08) status = next();
    else if ((tag & 7) === 0) next();
    else if ((tag & 7) === 2) {
      const byteLength = next();
      at += byteLength;
    } else throw new Error("the answer is no HealthCheckResponse");
  }
  if (at > message.byteLength) throw new Error("the answer is no HealthCheckResponse");
  return servingNames[status] ?? `status ${status}`;
}
