// npm run servers [-- name ...]: builds what is missing in the user's cache, once per version and machine.
import { buildAlertmanager } from "./build-alertmanager.ts";
import { buildBind } from "./build-bind.ts";
import { buildChromium } from "./build-chromium.ts";
import { buildCompilers } from "./build-compilers.ts";
import { buildConsul } from "./build-consul.ts";
import { buildEnvoy } from "./build-envoy.ts";
import { buildEureka } from "./build-eureka.ts";
import { buildNginx } from "./build-nginx.ts";
import { buildNode } from "./build-node.ts";
import { buildPrometheus } from "./build-prometheus.ts";
import { buildSpiffePeer } from "./build-spiffe-peer.ts";
import { buildToxiproxy } from "./build-toxiproxy.ts";
import { buildOnce, isBuilt } from "./cache.ts";
import { recipes, type ServerName, serverNames } from "./recipes.ts";
import { say } from "./step.ts";
import { toolPath } from "./tools.ts";

const builds: Readonly<Record<ServerName, (directory: string) => Promise<void>>> = {
  alertmanager: buildAlertmanager,
  bind: buildBind,
  chromium: buildChromium,
  compilers: buildCompilers,
  consul: buildConsul,
  envoy: buildEnvoy,
  eureka: buildEureka,
  nginx: buildNginx,
  prometheus: buildPrometheus,
  "spiffe-peer": buildSpiffePeer,
  toxiproxy: buildToxiproxy,
  node22: (directory) => buildNode("node22", directory),
  node26: (directory) => buildNode("node26", directory),
};

/** Says every now and then, not at every look at the lock, that somebody else is at it. */
const sayWaiting = (name: ServerName): ((message: string) => void) => {
  let saidAt = Number.NEGATIVE_INFINITY;
  return (message) => {
    if (performance.now() - saidAt < 10_000) return;
    saidAt = performance.now();
    say(name, `waiting, ${message}`);
  };
};

/** Makes one server available; false where it can't be. */
const provide = async (name: ServerName): Promise<boolean> => {
  const { tools, install, suites } = recipes[name];
  if (isBuilt(name)) {
    say(name, "ready (built before)");
    return true;
  }
  const missing = tools.filter((tool) => toolPath(tool) === undefined);
  if (missing.length > 0) {
    say(name, `skipped, ${missing.join(", ")} not found: ${suites} will not run; install ${install}`);
    return false;
  }
  const startedAt = performance.now();
  await buildOnce(name, builds[name], sayWaiting(name));
  say(name, `ready, ${Math.round((performance.now() - startedAt) / 1000)} s`);
  return true;
};

const isServerName = (name: string): name is ServerName => Object.hasOwn(recipes, name);

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !isServerName(name));
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(", ")}; there are ${serverNames.join(", ")}`);
  process.exit(1);
}
const isCi = process.env["CI"] === "true";
for (const name of asked.length > 0 ? asked.filter(isServerName) : serverNames) {
  try {
    const isAvailable = await provide(name);
    if (!isAvailable && isCi) process.exitCode = 1;
  } catch (error) {
    say(name, error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
