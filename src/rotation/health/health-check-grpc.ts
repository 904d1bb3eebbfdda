/** Path of the method in gRPC's health checking protocol. */
export const grpcHealthPath = "/grpc.health.v1.Health/Check";

/** Path of the method that tells each change. */
export const grpcWatchPath = "/grpc.health.v1.Health/Watch";

const servingStatuses = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

/** A `HealthCheckRequest` in a message frame: a byte for no compression, four bytes of length, field 1 = the service's name. */
export function grpcHealthRequest(service: string): Uint8Array {
  const name = Buffer.from(service);
  // Protocol buffers leave out an empty field.
  const message = name.byteLength === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, ...varint(name.byteLength)]), name]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([frame, message]);
}

/**
 * The status in a `HealthCheckResponse` in a message frame: `SERVING`, `NOT_SERVING`, …
 * @throws Error for bytes that are no such frame.
 */
export function grpcServingStatus(body: Buffer): string {
  if (body.byteLength < 5 || body[0] !== 0 || body.readUInt32BE(1) !== body.byteLength - 5)
    throw new Error("the answer is no gRPC message without compression");
  let status = 0;
  let at = 5;
  const next = (): number => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = body[at++];
      if (byte === undefined) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new Error("the answer is no HealthCheckResponse");
  };
  while (at < body.byteLength) {
    const tag = next();
    // Field 1 is the status. Fields that a later version may add are skipped if they are varints or have a length.
    if (tag === 0x08) status = next();
    else if ((tag & 7) === 0) next();
    else if ((tag & 7) === 2) {
      const byteLength = next();
      at += byteLength;
    } else throw new Error("the answer is no HealthCheckResponse");
  }
  if (at > body.byteLength) throw new Error("the answer is no HealthCheckResponse");
  return servingStatuses[status] ?? `status ${status}`;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}
