// A function as a platform runs it: each line on the standard input is a call, and between calls it may be frozen.
import { createInterface } from "node:readline";
import { createMesh } from "../../src/index.ts";
import { consul } from "../../src/registries/consul.ts";

const mesh = createMesh({
  discovery: consul({ url: process.env["REGISTRY"] as string }),
  watch: "on-use",
  refreshAfterMs: 500,
  observers: [],
});
for await (const method of createInterface({ input: process.stdin })) {
  const answer = await mesh
    .fetch("shop/", { method })
    .then((response) => response.text())
    .catch((error: Error) => String(error));
  console.log(answer.replaceAll("\n", " "));
}
await mesh.close();
