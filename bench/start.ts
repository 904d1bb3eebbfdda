import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "..");
const run = promisify(execFile);

/**
 * Programs that make `CALLS` calls to `URL` and read each answer, by the client that they use. Text instead of files: Node would charge a
 * TypeScript file of its own for its compilation, and the mesh is measured as it is installed, from `dist`.
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
  "bare node": "",
};

/** The first call alone, since connections are made then; the rest 32 at a time. */
const drive = `
  async function drive(call) {
    await call();
    let left = CALLS - 1;
    const worker = async () => {
      while (left-- > 0) await call();
    };
    await Promise.all(Array.from({ length: 32 }, worker));
  }`;

/** The clients that {@link startCost} knows. */
export const startClients: readonly string[] = Object.keys(programs);

/** Microseconds of CPU of a fresh process, from nothing to the end of so many calls: the import, the connections and compilation included. */
export async function startCost(client: string, calls: number, port: number): Promise<number> {
  const constants = `const CALLS = ${calls}, URL_ = "http://127.0.0.1:${port}/users/42";`;
  const end = "const { user, system } = process.cpuUsage(); console.log(user + system); process.exit();";
  const program = `${constants}\n${programs[client]}\n${drive}\n${end}`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", program], { cwd: root });
  return Number(stdout);
}
