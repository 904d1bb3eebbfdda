/** Limit of one event, its lines together, in characters: more than a snapshot of a thousand services. */
const maxEvent = 16 * 2 ** 20;

/** The data of each event in a stream of server-sent events (HTML Standard, 9.2). Throws at one that is larger than 16 MiB. */
export async function* eventData(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  let data: string[] = [];
  let length = 0;
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    if (rest.length + length > maxEvent) throw new Error("the admin server sends an event that is too large");
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      const line = rest.slice(0, end).replace(/\r$/, "");
      rest = rest.slice(end + 1);
      if (line === "" && data.length > 0) {
        yield data.join("\n");
        data = [];
        length = 0;
      } else if (line.startsWith("data:")) {
        data.push(line.slice(5).replace(/^ /, ""));
        // Also of empty lines, of which each takes a place.
        length += line.length;
      }
    }
  }
}
