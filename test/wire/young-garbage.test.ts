import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const mesh = JSON.stringify(new URL("../../src/index.ts", import.meta.url).href);

/** Prints the bytes that only a major collection frees after `calls` calls whose bodies are read in the given way. */
const program = (read: string, calls: number) => `
  const { createMesh, staticDiscovery } = await import(${mesh});
  const server = process.getBuiltinModule("node:http").createServer((request, response) => response.end(JSON.stringify({ text: "x".repeat(200) })));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const mesh = createMesh({ discovery: staticDiscovery({ users: [{ host: "127.0.0.1", port: server.address().port }] }) });
  const drive = async (calls) => {
    let left = calls;
    const worker = async () => {
      while (left-- > 0) await (await mesh.fetch("users/42")).${read};
    };
    await Promise.all(Array.from({ length: 32 }, worker));
  };
  await drive(2_000);
  gc();
  await drive(${calls});
  for (let round = 0; round < 3; round++) gc({ type: "minor" });
  const before = process.memoryUsage().heapUsed;
  gc();
  console.log(before - process.memoryUsage().heapUsed);
  process.exit();
`;

it.each(["json()", "text()", "bytes()"])("what a call with %s leaves behind dies young", async (read) => {
  const calls = 3_000;
  const args = ["--expose-gc", "--input-type=module", "--eval", program(read, calls)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
  // A function literal that is assigned to a property, for one, is allocated in the old generation, and keeps 3,000 bytes of each call there.
  expect(Number(stdout) / calls).toBeLessThan(1_000);
});
