import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { boundedText } from "../../../src/cli/admin/bounded-text.ts";
import { serve } from "../../support/servers.ts";

describe("boundedText", () => {
  it("is the text of an answer", async () => {
    expect(await boundedText(new Response("größer"))).toBe("größer");
    expect(await boundedText(new Response(null))).toBe("");
  });

  it("gives an answer up that is small on the wire and large when it is decoded", async () => {
    const bomb = gzipSync(Buffer.alloc(32 * 2 ** 20));
    const server = await serve((_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(bomb));
    await expect(boundedText(await fetch(`http://127.0.0.1:${server.port}/`))).rejects.toThrow("more than 16777216 bytes");
  });
});
