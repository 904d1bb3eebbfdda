import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answerFor } from "../../src/core/peers/answered-caller.ts";
import { createMesh } from "../../src/index.ts";
import { fromNginx } from "../../src/nginx/nginx.ts";
import { startNginxFile } from "../../test/servers/nginx.ts";
import { rowOf } from "../compare.ts";
import { type Instances, startInstances } from "../instances.ts";
import type { Outcome, ParityCase, Row } from "../parity-case.ts";
import { meshSender, outcomesOf, proxySender, type SendProbe } from "../sides.ts";
import { hostOf, type NginxCase, nginxFile, type PlacedCase } from "./case-file.ts";

interface Prepared extends PlacedCase {
  readonly instances: Instances;
}

/** Runs cases on a real nginx and on inmesh, with the same file and the same instances, and says how they compare. */
export async function compareNginx(cases: readonly ParityCase[]): Promise<readonly Row[]> {
  const prepared: Prepared[] = [];
  for (const parityCase of cases as readonly NginxCase[]) {
    const instances = await startInstances(parityCase.instances);
    prepared.push({ parityCase, instances, ports: instances.ports });
  }
  try {
    const theirs = await byNginx(prepared);
    const rows: Row[] = [];
    for (const [index, each] of prepared.entries()) rows.push(await rowFor(each, theirs[index] as readonly Outcome[]));
    return rows;
  } finally {
    for (const { instances } of prepared) await instances[Symbol.asyncDispose]();
  }
}

async function byNginx(prepared: readonly Prepared[]): Promise<readonly (readonly Outcome[])[]> {
  const nginx = await startNginxFile((port) => nginxFile(prepared, port));
  using send = proxySender(nginx.port);
  try {
    const all: (readonly Outcome[])[] = [];
    for (const { parityCase, instances } of prepared) all.push(await outcomesOf(parityCase, hostOf(parityCase), instances, send));
    return all;
  } finally {
    await nginx.stop();
  }
}

async function rowFor({ parityCase, instances, ports }: Prepared, theirs: readonly Outcome[]): Promise<Row> {
  const directory = await mkdtemp(join(tmpdir(), "inmesh-parity-"));
  const file = join(directory, "nginx.conf");
  try {
    await writeFile(file, nginxFile([{ parityCase, ports }], 8080));
    const mesh = createMesh({ ...(await fromNginx(file, { onNotice: () => undefined, clients: "served" })), observers: [] });
    try {
      return rowOf(parityCase, theirs, await outcomesOf(parityCase, hostOf(parityCase), instances, asServed(meshSender(mesh, 502))));
    } finally {
      await mesh.close();
    }
  } catch (error) {
    const note = error instanceof Error ? error.message.replaceAll(directory, "") : String(error);
    return { name: parityCase.name, about: parityCase.about, verdict: "failed", note };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Calls in answering a request of a client at 127.0.0.1, or at the address in `x-client`, which nginx believes where a case says so. */
function asServed(send: SendProbe): SendProbe {
  return (probe, host, headers) =>
    answerFor({ identity: undefined, address: headers["x-client"] ?? "127.0.0.1" }, () => send(probe, host, headers));
}
