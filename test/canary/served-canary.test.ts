import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { formsOf } from "./secrets.ts";
import type { ServedReport } from "./served-program.ts";

/** Runs the program to its end. Its output is a place where something can come out, too. */
async function run(...args: string[]): Promise<ServedReport> {
  const child = fork(fileURLToPath(new URL("served-program.ts", import.meta.url)), args, { silent: true });
  const printed = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) child[name]?.setEncoding("utf8").on("data", (text: string) => (printed[name] += text));
  let report: ServedReport | undefined;
  child.once("message", (message) => (report = message as ServedReport));
  const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
  const [code] = await once(child, "close");
  clearTimeout(timer);
  if (report === undefined) throw new Error(`the program has ended with ${code}:\n${printed.stderr}`);
  const shown = [{ name: "stderr", marker: "ERR_", text: printed.stderr }];
  if (args.length > 0) shown.push({ name: "stdout", marker: "c4n4ry", text: printed.stdout });
  else shown.push({ name: "stdout", marker: "", text: printed.stdout });
  return { ...report, outputs: [...report.outputs, ...shown] };
}

/** The texts of a secret that must not be shown: of a key its lines, of a token its signature, and its claims as they are encoded. */
function partsOf(secret: string): readonly string[] {
  if (secret.includes("-----")) return secret.split("\n").filter((line) => line.length > 30 && !line.startsWith("-----"));
  const parts = secret.split(".");
  return parts.length === 3 ? parts.slice(1) : [secret];
}

function leaksOf({ secrets, outputs }: ServedReport): readonly string[] {
  return Object.entries(secrets).flatMap(([secret, text]) => {
    const forms = partsOf(text).flatMap(formsOf);
    return outputs.filter((output) => forms.some((form) => output.text.includes(form))).map(({ name }) => `${secret} in ${name}`);
  });
}

it("no key, token, claim, password or shared secret of a server and its callers comes out of any output", async () => {
  const report = await run();
  expect(report.outputs.filter(({ marker, text }) => !text.includes(marker)).map(({ name }) => name)).toEqual([]);
  expect(leaksOf(report)).toEqual([]);
}, 90_000);

it("each of them is found in each output where it is shown", async () => {
  const report = await run("leaks");
  expect(leaksOf(report)).toHaveLength(Object.keys(report.secrets).length * report.outputs.length);
}, 90_000);
