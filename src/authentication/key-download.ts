import { parseKeySet } from "./key-set.ts";
import type { PublicJwk } from "./verification-key.ts";

const maxBytes = 262_144;
const timeoutMs = 5_000;

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Whether a URL may be asked for secrets or keys: over TLS, or on this machine. */
export function isSafeUrl(text: unknown): text is string {
  if (typeof text !== "string" || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  return username === "" && password === "" && (protocol === "https:" || (protocol === "http:" && loopback.test(hostname)));
}

/** Downloads a set of keys: no redirect is followed, and a large or slow answer is given up. */
export async function downloadKeys(url: string, ask: typeof fetch): Promise<readonly PublicJwk[]> {
  const response = await ask(url, {
    redirect: "manual",
    headers: { accept: "application/jwk-set+json, application/json" },
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`${new URL(url).host} answered ${response.status} for the keys`);
  }
  return parseKeySet(await boundedText(response, maxBytes));
}

/** The text of a body, given up where it is longer. */
export async function boundedText(response: Response, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop cancels the body.
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > limit) throw new Error(`the answer has more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length).toString();
}
