import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { serve } from "../../support/servers.ts";
import { runCli } from "../run-cli.ts";

describe("the headers of a request", () => {
  it("come from a file, and are shown only where the name is known to be harmless", async () => {
    const directory = await mkdtemp(join(tmpdir(), "inmesh-headers-"));
    onTestFinished(() => rm(directory, { recursive: true }));
    const file = join(directory, "headers");
    await writeFile(file, "x-acme-pass: CANARY1\r\n\nx-house: CANARY2\naccept: text/plain\n");
    const server = await serve((_request, response) => response.end("ok"));
    const { stderr, stdout, code } = await runCli(["fetch", "shop/x", "-v", "-H", `@${file}`, "--static", `shop=127.0.0.1:${server.port}`]);
    expect({ stdout, code }).toEqual({ stdout: "ok", code: 0 });
    expect(server.seen[0]?.headers).toMatchObject({ "x-acme-pass": "CANARY1", "x-house": "CANARY2", accept: "text/plain" });
    expect(stderr).not.toContain("CANARY");
    expect(stderr).toContain("> accept: text/plain");
  });
});
