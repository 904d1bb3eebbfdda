import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tokenSource } from "../../../../src/registries/consul/http/token.ts";

describe("a token", () => {
  it("is read from its file again when that has changed", async () => {
    const directory = await mkdtemp(join(tmpdir(), "inmesh-token-"));
    try {
      const file = join(directory, "token");
      await writeFile(file, "first\n");
      const token = tokenSource({ file });
      expect(await token()).toBe("first");
      // As secret stores replace files: another inode under the same name, even of the same length.
      await writeFile(`${file}.new`, "other\n");
      await rename(`${file}.new`, file);
      expect(await token()).toBe("other");
      await writeFile(file, " \n");
      await expect(token()).rejects.toThrow(/does not hold a token/);
      await rm(file);
      await expect(token()).rejects.toThrow(/ENOENT/);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("is asked of a function for every request, and must be one", async () => {
    const answers = ["one", "two", "bad token\r\nx-evil: 1", ""];
    const token = tokenSource(async () => answers.shift() ?? "");
    expect([await token(), await token()]).toEqual(["one", "two"]);
    await expect(token()).rejects.toThrow(/did not return a token/);
    await expect(token()).rejects.toThrow(/did not return a token/);
  });
});
