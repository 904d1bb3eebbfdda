import { BinaryReader } from "@bufbuild/protobuf/wire";
import { readBinary } from "../rpc/metadata.ts";
import type { ErrorDetail } from "./call-status.ts";

/** A `google.rpc.Status`, which `grpc-status-details-bin` has. */
export interface RichStatus {
  readonly code: number;
  readonly message: string;
  readonly details: readonly ErrorDetail[];
}

/** Reads a `grpc-status-details-bin`; `undefined` for a value that is none, which takes nothing from the status beside it. */
export function readStatusDetails(value: string): RichStatus | undefined {
  const bytes = readBinary(value);
  if (bytes === undefined) return undefined;
  try {
    return readStatus(new BinaryReader(bytes));
  } catch {
    return undefined;
  }
}

function readStatus(reader: BinaryReader): RichStatus {
  const status = { code: 0, message: "", details: [] as ErrorDetail[] };
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) status.code = reader.int32();
    else if (field === 2) status.message = reader.string();
    else if (field === 3) status.details.push(readAny(new BinaryReader(reader.bytes())));
    else reader.skip(wireType, field);
  }
  return status;
}

function readAny(reader: BinaryReader): ErrorDetail {
  const any = { type: "", value: new Uint8Array() };
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) any.type = reader.string().replace(/^.*\//, "");
    else if (field === 2) any.value = new Uint8Array(reader.bytes());
    else reader.skip(wireType, field);
  }
  return any;
}
