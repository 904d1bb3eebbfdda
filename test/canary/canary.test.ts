import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { certificate } from "../support/certificate.ts";
import type { Plan, Report } from "./program.ts";
import { secrets, secretsIn } from "./secrets.ts";

/** Runs the program to its end. Its output is a place where something can come out, like those that it reports. */
async function run(plan: Plan): Promise<Report> {
  const program = fileURLToPath(new URL("program.ts", import.meta.url));
  const child = fork(program, [JSON.stringify(plan)], { silent: true });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) child[name]?.setEncoding("utf8").on("data", (text: string) => (output[name] += text));
  let report: Report | undefined;
  child.once("message", (message) => (report = message as Report));
  const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
  const [code] = await once(child, "close");
  clearTimeout(timer);
  if (report === undefined) throw new Error(`the program has ended with ${code}:\n${output.stderr}`);
  const printed = (["stdout", "stderr"] as const).map((name) => ({ name, marker: "ERR_MESH", text: output[name] }));
  return { ...report, sinks: [...report.sinks, ...printed] };
}

describe("a secret that goes into a call, a registry or TLS", () => {
  it.each([
    ["as it is", false],
    ["when everything is recorded that can be", true],
  ])("comes out nowhere, %s", async (_how, recordsAll) => {
    const { outcomes, sinks } = await run({ recordsAll, leaks: false });
    expect(outcomes.filter(({ expected, found }) => expected !== found)).toEqual([]);
    expect(sinks.filter(({ marker, text }) => !text.includes(marker)).map(({ name }) => name)).toEqual([]);
    expect(sinks.flatMap(({ name, text }) => secretsIn(text).map((leak) => ({ name, ...leak })))).toEqual([]);
  });

  it("is found in each place where it is shown", async () => {
    const { sinks } = await run({ recordsAll: false, leaks: true });
    const leaking = sinks.filter(({ text }) => secretsIn(text).some(({ secret }) => secret === "authorization"));
    expect(leaking.map(({ name }) => name)).toEqual(sinks.map(({ name }) => name));
  });
});

describe("secretsIn", () => {
  const text = secrets.query;
  it.each([
    ["as it is", `a ${text} b`],
    ["in base64, wherever it begins", [0, 1, 2].map((at) => Buffer.from(`${"x".repeat(at)}${text}yz`).toString("base64")).join(" ")],
    ["in hexadecimal", Buffer.from(`xy${text}`).toString("hex")],
    ["in a Buffer that was printed", inspect(Buffer.from(text))],
    ["in an array of bytes", JSON.stringify([...Buffer.from(text)])],
  ])("finds one %s", (_how, shown) => {
    expect(secretsIn(shown).map(({ secret }) => secret)).toEqual(["query"]);
  });

  it("finds a private key by any of its lines, and nothing in a certificate", () => {
    const lines = certificate.key.trim().split("\n").slice(1, -1);
    for (const line of lines) expect(secretsIn(`x${line}x`)).toMatchObject([{ secret: "privateKey" }]);
    expect(secretsIn(certificate.cert)).toEqual([]);
  });
});
