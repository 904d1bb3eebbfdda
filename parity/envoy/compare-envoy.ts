import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromEnvoy } from "../../src/envoy/envoy.ts";
import { createMesh } from "../../src/index.ts";
import { startEnvoyFile } from "../../test/servers/envoy.ts";
import { rowOf } from "../compare.ts";
import { type Instances, startInstances } from "../instances.ts";
import type { Outcome, ParityCase, Row } from "../parity-case.ts";
import { meshSender, outcomesOf, proxySender } from "../sides.ts";
import { envoyFile, hostOf, type PlacedCase } from "./case-file.ts";

interface Prepared extends PlacedCase {
  readonly instances: Instances;
}

/** Runs cases on a real Envoy and on inmesh, with the same file and the same instances, and says how they compare. */
export async function compareEnvoy(cases: readonly ParityCase[]): Promise<readonly Row[]> {
  const prepared: Prepared[] = [];
  for (const parityCase of cases) {
    const instances = await startInstances(parityCase.instances);
    prepared.push({ parityCase, instances, ports: instances.ports });
  }
  try {
    const theirs = await byEnvoy(prepared);
    const rows: Row[] = [];
    for (const [index, each] of prepared.entries()) rows.push(await rowFor(each, theirs[index] as readonly Outcome[]));
    return rows;
  } finally {
    for (const { instances } of prepared) await instances[Symbol.asyncDispose]();
  }
}

async function byEnvoy(prepared: readonly Prepared[]): Promise<readonly (readonly Outcome[])[]> {
  const envoy = await startEnvoyFile((port) => envoyFile(prepared, port));
  using send = proxySender(envoy.port);
  try {
    const all: (readonly Outcome[])[] = [];
    for (const { parityCase, instances } of prepared) all.push(await outcomesOf(parityCase, hostOf(parityCase), instances, send));
    return all;
  } finally {
    await envoy.stop();
  }
}

async function rowFor({ parityCase, instances, ports }: Prepared, theirs: readonly Outcome[]): Promise<Row> {
  const directory = await mkdtemp(join(tmpdir(), "inmesh-parity-"));
  const file = join(directory, "envoy.yaml");
  try {
    await writeFile(file, envoyFile([{ parityCase, ports }], 8080));
    const mesh = createMesh({ ...(await fromEnvoy(file)), observers: [] });
    try {
      return rowOf(parityCase, theirs, await outcomesOf(parityCase, hostOf(parityCase), instances, meshSender(mesh)));
    } finally {
      await mesh.close();
    }
  } catch (error) {
    return {
      name: parityCase.name,
      about: parityCase.about,
      verdict: "failed",
      note: error instanceof Error ? error.message.replaceAll(directory, "") : String(error),
    };
  } finally {
    await rm(directory, { recursive: true });
  }
}
