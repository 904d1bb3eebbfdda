import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SidecarPair, startSidecars } from "../test/servers/envoy-sidecars.ts";
import { Authority } from "../test/support/authority.ts";
import { type Child, startChild } from "./children.ts";
import { measuredVersion } from "./measured-node.ts";
import { processMicros } from "./process-cpu.ts";
import { atMost, type BenchReport, shown } from "./report.ts";
import { measureRounds, type Sample } from "./rounds.ts";
import { clientIdentity, rules, serverIdentity } from "./secured-rules.ts";

/** Enough that what the engine compiles meanwhile, and the hundredths of a second that the kernel counts in, are small beside it. */
const callsPerTurn = 20_000;
const host = "127.0.0.1";

/** A client and a server of this bench, and how they are called in the table. */
interface Way {
  readonly client: string;
  readonly server: string;
  readonly throughSidecars?: true;
}

const bare = "undici.request to a bare server";
const bareSecured = "undici.request to a bare server, mutual TLS";
const mesh = "mesh.fetch to serve()";
const meshSecured = "mesh.fetch to serve(), mutual TLS";
const everything = "mesh.fetch to serve(), mutual TLS, 20 rules, metrics";
const sidecars = "Node's fetch, two Envoys, a bare server: mutual TLS, 20 rules, metrics";

const ways: Readonly<Record<string, Way>> = {
  [bare]: { client: "undici.request", server: "bare" },
  [bareSecured]: { client: "undici.request, mutual TLS", server: "bare, mutual TLS" },
  [mesh]: { client: "mesh.fetch", server: "serve" },
  [meshSecured]: { client: "mesh.fetch, mutual TLS", server: "serve, mutual TLS" },
  [everything]: { client: "mesh.fetch, everything", server: "serve, everything" },
  [sidecars]: { client: "Node's fetch", server: "bare", throughSidecars: true },
};

/**
 * Measures the CPU of everything that a GET of a small JSON document passes: client, proxies and server. The same identities, authority and rules on all
 * ways.
 */
export async function secured(rounds = 9): Promise<BenchReport> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "inmesh-bench-"));
  stack.defer(() => rm(directory, { recursive: true }));
  const certificates = await writeCertificates(directory);
  const cases: Record<string, () => Promise<Sample>> = {};
  for (const [name, { client: clientName, server: serverName, throughSidecars }] of Object.entries(ways)) {
    const server = stack.use(await startChild<never, number>("secured-server.ts", [serverName, directory]));
    const pair = throughSidecars && stack.use(await startSidecars({ ...certificates, rules, endpoint: { host, port: server.ready } }));
    const port = pair === undefined ? server.ready : pair.port;
    const client = stack.use(await startChild<number, number>("secured-client.ts", [clientName, String(port), directory]));
    cases[name] = measured(client, server, pair);
  }
  const found = await measureRounds("secured", rounds, cases);
  const server = found.median(bare, "server");
  const without = (name: string): number => found.median(name) - server;
  const addedByTls = found.differenceRatio([meshSecured, mesh], [bareSecured, bare]);
  const range = `${shown(addedByTls.low)} to ${shown(addedByTls.high)} in nine of ten resamplings of the rounds`;
  // By rounds, and not by the medians of the column before: the pairs of a round have met the same machine.
  const tlsOf = (name: string): number | string =>
    name === bareSecured ? found.difference(bareSecured, bare) : name === meshSecured ? found.difference(meshSecured, mesh) : "";
  return {
    bench: "secured",
    about:
      "CPU per GET of a JSON document of 250 bytes on loopback, 32 at a time, connections kept alive: of the client, of the proxies and of the server. What a bare server of node:http spends is taken off in the last column",
    node: measuredVersion(),
    rounds,
    columns: ["way", "µs client", "µs proxies", "µs server", "µs together", "µs without a bare server", "µs that mutual TLS adds"],
    rows: Object.keys(ways).map((name) => [
      name,
      found.median(name, "client"),
      found.median(name, "proxies"),
      found.median(name, "server"),
      found.median(name),
      without(name),
      tlsOf(name),
    ]),
    bounds: [
      atMost("both ends of the mesh × two sidecars, without a bare server", without(everything) / without(sidecars), 0.25),
      atMost("both ends of the mesh × two sidecars, untreated", found.ratio(everything, sidecars), 1),
      atMost(`what mutual TLS adds × what it adds to undici.request and a bare server, ${range},`, addedByTls.value, 1.15),
    ],
    ratios: { "mesh: everything × two sidecars": found.ratio(everything, sidecars) },
  };
}

function measured(client: Child<number, number>, server: Child<never, number>, pair: SidecarPair | undefined): () => Promise<Sample> {
  const proxiesMicros = (): number => (pair === undefined ? 0 : processMicros(pair.client.pid) + processMicros(pair.server.pid));
  return async () => {
    await client.ask(0);
    const serverBefore = processMicros(server.pid);
    const proxiesBefore = proxiesMicros();
    const spent = await client.ask(callsPerTurn);
    const serverSpent = (processMicros(server.pid) - serverBefore) / callsPerTurn;
    const proxies = (proxiesMicros() - proxiesBefore) / callsPerTurn;
    return { value: spent + proxies + serverSpent, client: spent, proxies, server: serverSpent };
  };
}

async function writeCertificates(directory: string) {
  const authority = await Authority.create("bench");
  const client = await authority.issue({ uris: [clientIdentity] });
  const server = await authority.issue({ uris: [serverIdentity], addresses: [host] });
  const texts = {
    "authority.pem": authority.certificate,
    "client.pem": client.chain,
    "client-key.pem": client.key,
    "server.pem": server.chain,
    "server-key.pem": server.key,
  };
  for (const [file, text] of Object.entries(texts)) await writeFile(join(directory, file), text, { mode: 0o600 });
  return {
    client: { certificate: client.chain, key: client.key, authority: authority.certificate },
    server: { certificate: server.chain, key: server.key, authority: authority.certificate, identity: serverIdentity },
  };
}
