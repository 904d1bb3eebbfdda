import type { IncomingMessage } from "node:http";

/** The body of a `POST`. */
export interface Change {
  /** Id of the endpoint. */
  readonly endpoint: string;
  /** Time out of rotation, in milliseconds. */
  readonly forMs: number;
}

const maxBytes = 4_096;
const maxForMs = 86_400_000;

/** Reads `{ "endpoint": ID, "forMs": N }`; a string says what is wrong with it. `forMs` belongs to `eject` alone. */
export async function readChange(request: IncomingMessage, what: "eject" | "readmit"): Promise<Change | string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) return `the body is longer than ${maxBytes} bytes`;
    chunks.push(chunk);
  }
  const body = parsed(Buffer.concat(chunks).toString());
  if (typeof body !== "object" || body === null) return "the body is no JSON object";
  const { endpoint, forMs = what === "readmit" ? 0 : undefined } = body as Partial<Record<keyof Change, unknown>>;
  if (typeof endpoint !== "string" || endpoint === "") return "endpoint must be the id of an endpoint";
  if (typeof forMs !== "number" || !(forMs >= (what === "eject" ? 1 : 0) && forMs <= maxForMs))
    return `forMs must be a number from 1 to ${maxForMs}`;
  return { endpoint, forMs };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
