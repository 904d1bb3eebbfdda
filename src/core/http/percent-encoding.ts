/** `text` with its percent-encoding taken away; `undefined` for what is no encoding of anything. */
export function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
