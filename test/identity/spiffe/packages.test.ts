import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadGrpc } from "../../../src/identity/spiffe/streams/grpc-package.ts";

const root = join(import.meta.dirname, "../../..");

describe("the packages of the Workload API", () => {
  it("are asked for by name and version where one is missing", async () => {
    const missing = () => Promise.reject(Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" }));
    await expect(loadGrpc(missing)).rejects.toThrow('inmesh/spiffe needs the package "@grpc/grpc-js": npm install @grpc/grpc-js@~1.14.0');
  });

  it("are refused where one is of another shape", async () => {
    await expect(loadGrpc(async () => ({}) as never)).rejects.toThrow('inmesh/spiffe needs version ~1.14.0 of "@grpc/grpc-js"');
  });

  it("that fail for another reason fail with it", async () => {
    await expect(loadGrpc(() => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  });
});

describe("the generated code", () => {
  it("is that of the files in protos", () => {
    const out = mkdtempSync(join(tmpdir(), "protos-"));
    try {
      const template = JSON.stringify({
        version: "v2",
        plugins: [{ local: join(root, "node_modules/.bin/protoc-gen-es"), out, opt: ["target=ts", "import_extension=ts"] }],
        inputs: [{ directory: "." }],
      });
      const env = { ...process.env, PATH: `${join(process.execPath, "..")}:${process.env["PATH"]}` };
      execFileSync(join(root, "node_modules/.bin/buf"), ["generate", "--template", template], { cwd: join(root, "protos"), env });
      const folder = join(root, "src/identity/spiffe/protos");
      expect(readdirSync(out).sort()).toEqual(readdirSync(folder).sort());
      for (const name of readdirSync(out))
        expect(readFileSync(join(folder, name), "utf8"), name).toBe(readFileSync(join(out, name), "utf8"));
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  });
});
