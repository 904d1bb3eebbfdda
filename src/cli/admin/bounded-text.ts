/** Limit of an answer in bytes, decoded: more than a snapshot of a thousand services. */
const maxBytes = 16 * 2 ** 20;

/** The text of an answer. Rejects, and cancels the rest, where it is larger than 16 MiB: 800 KB of gzip may stand for 800 MB. */
export async function boundedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let bytes = 0;
  // Leaving the loop by an error cancels the body.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new Error(`the admin server sends more than ${maxBytes} bytes`);
    parts.push(decoder.decode(chunk, { stream: true }));
  }
  return parts.join("") + decoder.decode();
}
