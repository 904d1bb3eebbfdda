// A process with one client: node secured-client.ts NAME PORT DIRECTORY. Answers with the CPU of a call in microseconds.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { answerParent, cpuMicros } from "./children.ts";
import { drive, unmeasuredCalls } from "./client-process.ts";

type Call = () => Promise<unknown>;

/** Makes each client of {@link secured}: for the port of a server, and the directory of the certificates. */
const clients: Readonly<Record<string, (port: number, directory: string) => Promise<Call>>> = {
  async "Node's fetch"(port) {
    return async () => (await fetch(`http://127.0.0.1:${port}/users/42`)).json();
  },

  async "undici.request"(port) {
    const { request } = await import("undici");
    return async () => (await request(`http://127.0.0.1:${port}/users/42`)).body.json();
  },

  async "undici.request, mutual TLS"(port, directory) {
    const { Agent, request } = await import("undici");
    const pem = (file: string): string => readFileSync(join(directory, file), "utf8");
    const dispatcher = new Agent({ connect: { cert: pem("client.pem"), key: pem("client-key.pem"), ca: pem("authority.pem") } });
    return async () => (await request(`https://127.0.0.1:${port}/users/42`, { dispatcher })).body.json();
  },
};

const [name = "", port = "", directory = ""] = process.argv.slice(2);
const create = clients[name];
if (create === undefined) throw new Error(`no client is called ${JSON.stringify(name)}`);
const call = await create(Number(port), directory);
answerParent<number, number>(0, async (calls) => {
  await drive(call, unmeasuredCalls);
  return (await cpuMicros(() => drive(call, calls))) / calls;
});
