// Two instances of `greeter` are replaced one after the other, while a caller goes on calling. No call fails.
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { createMesh } from "inmesh";
import { type Serving, serve } from "inmesh/server";
import { memoryRegistry } from "inmesh/testing";

const registry = memoryRegistry(); // consul() or eureka() in production

async function startGreeter(name: string): Promise<Serving> {
  const server = createServer(async (_request, response) => {
    await pause(50); // the work
    response.end(`hello from ${name}`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const mesh = createMesh({ discovery: registry });
  const serving = serve(server, { mesh, register: { service: "greeter", host: "127.0.0.1" }, log: false });
  await serving.started; // listens, is ready, is registered
  return serving;
}

const old = [await startGreeter("old one"), await startGreeter("old two")];

const mesh = createMesh({ discovery: registry });
const answers = new Map<string, number>();
let failed = 0;
let calls: Promise<unknown>[] = [];
const caller = setInterval(() => {
  const call = mesh.fetch("greeter/", { method: "POST" }).then((response) => response.text());
  const counted = call.then(
    (text) => answers.set(text, (answers.get(text) ?? 0) + 1),
    () => failed++,
  );
  calls = [...calls, counted];
}, 5);

await pause(300);
for (const [index, serving] of old.entries()) {
  const next = await startGreeter(index === 0 ? "new one" : "new two");
  const { cutOff } = await serving.stop(); // as upon SIGTERM
  console.log(`replaced, ${cutOff} cut off`);
  old[index] = next;
}
await pause(300);

clearInterval(caller);
await Promise.all(calls);
console.log(`${failed} of ${calls.length > 50 ? "all" : calls.length} calls failed; answers from ${[...answers.keys()].sort().join(", ")}`);
await Promise.all(old.map((serving) => serving.stop()));
await mesh.close();
