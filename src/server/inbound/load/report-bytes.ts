import { Buffer } from "node:buffer";

/** The numbers of a report, under their names in ORCA (`xds.data.orca.v3.OrcaLoadReport`). */
export interface ReportedLoad {
  readonly cpu_utilization: number;
  readonly application_utilization: number;
  readonly rps_fractional: number;
  readonly eps: number;
  readonly named_metrics: Readonly<Record<string, number>>;
}

/** The numbers of the fields in `xds.data.orca.v3.OrcaLoadReport`. */
const fields = { cpu_utilization: 1, rps_fractional: 6, eps: 7, application_utilization: 9 } as const;
const namedField = 8;
/** The wire types of protobuf that a report has. */
const double = 1;
const delimited = 2;

/** A report as protobuf encodes an `OrcaLoadReport`, in base64: the value of `endpoint-load-metrics-bin`. */
export function reportBytes(report: ReportedLoad): string {
  const parts: Buffer[] = [];
  // 0 is what a field has that is not there.
  for (const [name, field] of Object.entries(fields) as [keyof typeof fields, number][])
    if (report[name] !== 0) parts.push(doubleField(field, report[name]));
  for (const [name, value] of Object.entries(report.named_metrics)) {
    const key = Buffer.from(name);
    const entry = Buffer.concat([Buffer.from([(1 << 3) | delimited, key.length]), key, doubleField(2, value)]);
    // A name has at most 64 characters of ASCII, so that each length is one byte.
    parts.push(Buffer.from([(namedField << 3) | delimited, entry.length]), entry);
  }
  return Buffer.concat(parts).toString("base64");
}

function doubleField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = (field << 3) | double;
  bytes.writeDoubleLE(value, 1);
  return bytes;
}
