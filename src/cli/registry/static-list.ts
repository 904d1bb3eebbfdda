import { UsageError } from "../usage-error.ts";

/** Endpoints by service, from the values `SERVICE=HOST:PORT,HOST:PORT` of `--static`. */
export function staticList(entries: readonly string[]): Readonly<Record<string, readonly { host: string; port: number }[]>> {
  const list: Record<string, { host: string; port: number }[]> = Object.create(null);
  for (const entry of entries) {
    const equals = entry.indexOf("=");
    if (equals < 1) throw new UsageError(`--static must be SERVICE=HOST:PORT, not ${JSON.stringify(entry)}`);
    const service = entry.slice(0, equals);
    list[service] = [
      ...(list[service] ?? []),
      ...entry
        .slice(equals + 1)
        .split(",")
        .map((address) => addressIn(address, entry)),
    ];
  }
  return list;
}

function addressIn(address: string, entry: string): { host: string; port: number } {
  const [, bracketed, bare, port] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address.trim()) ?? [];
  const host = bracketed ?? bare;
  if (host === undefined) throw new UsageError(`--static must be SERVICE=HOST:PORT, not ${JSON.stringify(entry)}`);
  return { host, port: Number(port) };
}
