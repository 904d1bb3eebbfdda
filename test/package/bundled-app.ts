/**
 * An application with each entry that has a package or files of its own: calls through Consul and Eureka, metrics for Prometheus, the live
 * page, a suggestion, a class that two entries share. One server plays all of its peers. It prints what it found as JSON.
 */
export const bundledApp: string = `
import { createServer } from "node:http";
import { createMesh, MeshError, staticDiscovery } from "inmesh";
import { admin } from "inmesh/admin";
import { consul } from "inmesh/consul";
import { eureka } from "inmesh/eureka";
import { prometheus } from "inmesh/prometheus";
import { memoryRegistry } from "inmesh/testing";

const server = createServer((request, response) => {
  const { port } = server.address();
  response.setHeader("content-type", "application/json");
  if (request.url.startsWith("/v1/health/service/")) {
    response.setHeader("x-consul-index", "1");
    const Service = { ID: "web-1", Service: "web", Address: "127.0.0.1", Port: port };
    response.end(JSON.stringify([{ Node: { Node: "n", Address: "127.0.0.1" }, Service, Checks: [] }]));
  } else if (request.url.startsWith("/eureka/apps")) {
    const ports = { port: { $: port, "@enabled": "true" }, securePort: { $: 443, "@enabled": "false" } };
    const instance = { instanceId: "web-1", hostName: "127.0.0.1", ipAddr: "127.0.0.1", app: "WEB", vipAddress: "web", status: "UP", ...ports };
    response.end(JSON.stringify({ applications: { apps__hashcode: "UP_1_", application: [{ name: "WEB", instance: [instance] }] } }));
  } else response.end("hello");
});

const found = {};
const find = async (name, look) => {
  found[name] = await look().catch((error) => "FAILED: " + error.message);
};
const callThrough = async (discovery) => {
  const mesh = createMesh({ discovery });
  try {
    return await (await mesh.fetch("web/")).text();
  } finally {
    await mesh.close();
  }
};

server.listen(0, "127.0.0.1", async () => {
  const url = "http://127.0.0.1:" + server.address().port;
  await find("consul", async () => callThrough(consul({ url })));
  await find("eureka", async () => callThrough(eureka({ servers: [url + "/eureka"] })));
  const metrics = prometheus();
  const mesh = createMesh({
    discovery: staticDiscovery({ web: [{ host: "127.0.0.1", port: server.address().port }] }),
    observers: [metrics],
  });
  await find("prometheus", async () => {
    await (await mesh.fetch("web/")).text();
    return /^inmesh_client_call_duration_seconds_count\\{.*outcome="success"\\} (.*)$/m.exec(await metrics.metrics())?.[1];
  });
  await find("admin", async () => {
    const { url: page } = await admin(mesh, { port: 0 });
    const texts = await Promise.all(["", "page.js", "page.css", "icon.svg"].map(async (path) => (await fetch(page + path)).text()));
    return texts.map((text) => text.length > 100).join();
  });
  await find("suggestion", async () => mesh.fetch("wab/").catch(({ message }) => /Did you mean "web"/.test(message)));
  await find("class", async () => consul({ port: 9 }).services(AbortSignal.timeout(5000)).catch((error) => error instanceof MeshError));
  await find("testing", async () => typeof memoryRegistry().watch);
  await mesh.close();
  server.close();
  console.log(JSON.stringify(found));
  process.exit();
});
`;
