import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { measuredNode } from "./measured-node.ts";

const root = join(import.meta.dirname, "..");
const run = promisify(execFile);

/**
 * Programs that make `CALLS` calls to `URL_` and read each answer, by client. They are text and no files, since Node would add the time that it
 * takes to strip the types of a TypeScript file. The mesh is measured as it is installed, from `dist`.
 */
const programs: Readonly<Record<string, string>> = {
  "mesh.fetch": `
    import { createMesh, staticDiscovery } from "inmesh";
    const { hostname: host, port, pathname } = new URL(URL_);
    const mesh = createMesh({ discovery: staticDiscovery({ users: [{ host, port: Number(port) }] }) });
    await drive(async () => (await mesh.fetch("users" + pathname)).json());`,
  "undici.request": `
    import { request } from "undici";
    await drive(async () => (await request(URL_)).body.json());`,
  "Node's fetch": `
    await drive(async () => (await fetch(URL_)).json());`,
  axios: `
    import { Agent } from "node:http";
    import axios from "axios";
    const client = axios.create({ adapter: "http", httpAgent: new Agent({ keepAlive: true }) });
    await drive(async () => (await client.get(URL_)).data);`,
  "mesh.fetch, on-use": `
    import { createMesh, roundRobin } from "inmesh";
    const { hostname: host, port, pathname } = new URL(URL_);
    const users = Array.from({ length: 100 }, (_, index) => ({ id: "instance-" + index, host, port: Number(port) }));
    const discovery = { async *watch() { yield users; } };
    const mesh = createMesh({ discovery, watch: "on-use", picker: roundRobin() });
    await drive(async () => (await mesh.fetch("users" + pathname)).json());
    const { endpoints } = mesh.explain("users");
    const called = endpoints.filter(({ attempts }) => attempts > 0).length;
    if (called < Math.min(CALLS, 100)) throw new Error(called + " of " + endpoints.length + " endpoints were called by " + CALLS + " calls");`,
  // The steps to a mesh, without a call.
  "node:http2, imported": `await import("node:http2");`,
  "undici's client, imported": `await import("undici/lib/dispatcher/pool.js");`,
  "inmesh, imported": `await import("inmesh");`,
  "bare node": "",
};

/** Makes the first call alone, and the rest 32 at a time. */
const drive = `
  async function drive(call) {
    await call();
    let left = CALLS - 1;
    const worker = async () => {
      while (left-- > 0) await call();
    };
    await Promise.all(Array.from({ length: 32 }, worker));
  }`;

/** The clients that {@link runFresh} knows. */
export const freshClients: readonly string[] = Object.keys(programs);

/** The resources that a process has used at its end. */
export interface Usage {
  readonly [field: string]: number;
  /** Microseconds of CPU since the process began: the import, the connections and compilation included. */
  readonly value: number;
  /** Resident set, in bytes. */
  readonly rss: number;
  /** On the JavaScript heap and in buffers outside it, in bytes, garbage included. */
  readonly heap: number;
}

/** Builds the package, which {@link runFresh} measures. */
export async function buildPackage(): Promise<void> {
  await run(process.execPath, ["build.ts"], { cwd: root });
}

/** Makes so many calls of a client in a new process. */
export async function runFresh(client: string, calls: number, port: number): Promise<Usage> {
  const constants = `const CALLS = ${calls}, URL_ = "http://127.0.0.1:${port}/users/42";`;
  const end = `
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed, external } = process.memoryUsage();
    console.log(JSON.stringify({ value: user + system, rss, heap: heapUsed + external }));
    process.exit();`;
  const program = `${constants}\n${programs[client]}\n${drive}\n${end}`;
  const { stdout } = await run(measuredNode(), ["--input-type=module", "--eval", program], { cwd: root });
  return JSON.parse(stdout) as Usage;
}
