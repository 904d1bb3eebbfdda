import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { toFile } from "../../../../src/server/inbound/log/log-targets.ts";

test("a file that was moved away by a rotation is made anew", async () => {
  const folder = mkdtempSync(join(tmpdir(), "inmesh-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "access.log");
  const write = toFile(path);
  await write("one\n");
  renameSync(path, `${path}.1`);
  await write("two\n");
  await write("three\n");
  expect([readFileSync(`${path}.1`, "utf8"), readFileSync(path, "utf8")]).toEqual(["one\n", "two\nthree\n"]);
});

const program = `
  const { LogWriter } = await import(${JSON.stringify(new URL("../../../../src/server/inbound/log/log-writer.ts", import.meta.url).href)});
  const { toStandardOutput } = await import(${JSON.stringify(new URL("../../../../src/server/inbound/log/log-targets.ts", import.meta.url).href)});
  const { systemClock } = await import(${JSON.stringify(new URL("../../../../src/core/clock.ts", import.meta.url).href)});
  const writer = new LogWriter({ write: toStandardOutput(process), clock: systemClock, maxBuffered: 1e6, sayDropped: (count) => count + " dropped\\n" });
  const line = "x".repeat(99) + "\\n";
  let worst = 0;
  for (let round = 0; round < 50; round++) {
    for (let count = 0; count < 400; count++) writer.add(line);
    const before = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 10));
    worst = Math.max(worst, performance.now() - before);
  }
  process.stderr.write(String(Math.round(worst)) + "\\n");
  process.exit();
`;

test("a reader of the standard output that does not read holds neither requests up nor the end of the process", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  // Nobody reads its standard output.
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  await new Promise((resolve) => child.stderr.once("end", resolve));
  expect(Number(said.trim())).toBeGreaterThan(0);
});

test("a process that ends by itself has written its lines", async () => {
  const short = program.replace(/let worst[\s\S]*$/, "for (let count = 0; count < 1000; count++) writer.add(line);");
  const text = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, ["--input-type=module", "-e", short], (error, stdout) => (error === null ? resolve(stdout) : reject(error)));
  });
  expect(text).toBe(`${"x".repeat(99)}\n`.repeat(1_000));
});

test("the end of the reader ends neither the process nor the log of the program", async () => {
  const gone = `${program.replace(/let worst[\s\S]*$/, "")}
    for (let round = 0; round < 5; round++) {
      writer.add(line);
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
    process.stderr.write("goes on");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", gone], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  await new Promise((resolve) => child.stderr.once("end", resolve));
  expect(said).toContain("goes on");
});
