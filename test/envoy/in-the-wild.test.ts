import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fromEnvoy, importEnvoy, importEnvoyText } from "../../src/envoy/envoy.ts";
import { createMesh } from "../../src/index.ts";
import { available, requireServer } from "../servers/available.ts";
import { withSlips } from "./files.ts";
import { wildFiles } from "./in-the-wild.ts";

const read = wildFiles.filter(({ refused }) => refused === undefined);

describe("files as people have them", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "inmesh-envoy-"));
  });
  afterAll(() => rm(directory, { recursive: true }));

  async function fileOf(text: string): Promise<string> {
    const file = join(directory, "envoy.yaml");
    await writeFile(file, text);
    return file;
  }

  it.each(read.map(({ name, text, data }) => [name, text, data ?? {}] as const))(
    "come to a configuration: %s",
    async (_name, text, data) => {
      expect((await importEnvoy(await fileOf(text))).data).toMatchObject(data);
    },
  );

  it.each([...read, { name: "with slips", text: withSlips }].map(({ name, text }) => [name, text] as const))(
    "are what createMesh takes: %s",
    async (_name, text) => {
      const mesh = createMesh({ ...(await fromEnvoy(await fileOf(text))), observers: [] });
      await expect(mesh.close()).resolves.toBeUndefined();
    },
  );

  it.each(wildFiles.flatMap(({ name, text, refused }) => (refused === undefined ? [] : [[name, text, refused] as const])))(
    "are refused where inmesh has nothing like it: %s",
    async (_name, text, refused) => {
      await expect(importEnvoyText(text, "envoy.yaml")).rejects.toThrow(refused);
    },
  );

  it.skipIf(!available("envoy")).each([...read, { name: "with slips", text: withSlips }].map(({ name, text }) => [name, text] as const))(
    "are in the form of v3 what a real Envoy takes: %s",
    async (_name, text) => {
      const { v3 } = await importEnvoyText(text, "envoy.yaml");
      const file = join(directory, "v3.json");
      await writeFile(file, JSON.stringify(v3));
      const program = join(requireServer("envoy"), "envoy");
      const { stdout, stderr } = await promisify(execFile)(program, ["--mode", "validate", "-c", file]);
      expect(stdout + stderr).toContain("OK");
    },
  );
});
