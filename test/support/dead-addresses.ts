import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { onTestFinished } from "vitest";

/** A process that listens and never accepts: when its backlog is full, the kernel drops further attempts to connect. */
const script = `
const { createServer } = require("node:net");
const [port, ...addresses] = process.argv.slice(1);
let left = addresses.length;
for (const address of addresses)
  createServer().listen({ port: Number(port), host: address, backlog: 1 }, () => {
    if (--left > 0) return;
    require("node:fs").writeSync(1, "ready");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

/** Makes addresses of the loopback (127.0.0.0/8) on which connections to `port` get no answer at all, until the end of the test. */
export async function deadAddresses(port: number, addresses: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, ["-e", script, String(port), ...addresses], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  for (const address of addresses) {
    // Two fill the backlog; those after it wait for an answer.
    for (let count = 0; count < 4; count++) {
      const socket = connect(port, address).on("error", () => {});
      onTestFinished(() => void socket.destroy());
    }
  }
}
