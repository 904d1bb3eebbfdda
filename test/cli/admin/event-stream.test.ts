import { describe, expect, it } from "vitest";
import { eventData } from "../../../src/cli/admin/event-stream.ts";

async function dataOf(chunks: readonly string[]): Promise<readonly string[]> {
  async function* stream() {
    for (const chunk of chunks) yield new TextEncoder().encode(chunk);
  }
  const found: string[] = [];
  for await (const data of eventData(stream())) found.push(data);
  return found;
}

describe("reading server-sent events", () => {
  const text = 'retry: 1000\n\n: a comment\nevent: mesh\nid: 1\ndata: {"a":"é"}\n\ndata:two\r\ndata: lines\r\n\r\ndata: unfinished\n';

  it("gives the data of each that is complete, however the stream was cut up", async () => {
    const expected = ['{"a":"é"}', "two\nlines"];
    expect(await dataOf([text])).toEqual(expected);
    expect(await dataOf([...text])).toEqual(expected);
  });

  it("takes no end of bytes for one event", async () => {
    await expect(dataOf(Array.from({ length: 20 }, () => "x".repeat(2 ** 20)))).rejects.toThrow("too large");
    const lines = (line: string) => Array.from({ length: 40 }, () => `${line}\n`.repeat(2 ** 20 / (line.length + 1)));
    await expect(dataOf(lines(`data: ${"x".repeat(1_000)}`))).rejects.toThrow("too large");
    await expect(dataOf(lines("data:"))).rejects.toThrow("too large");
  });
});
