import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const src = join(root, "src");

/** Tests in the folder of a room that are not of one file of it, and their subjects. */
const ofSeveralFiles: Readonly<Record<string, string>> = {
  "admin/page": "the whole page, in a real browser",
  "admin/page/cards": "the cards of routes, canaries and the configuration, in a real browser",
  "assets/generated": "the files of observability/ against the code that writes them",
  "assets/lint": "all rules and dashboards, by linters of their own",
  "assets/promtool": "all rules, by Prometheus' own checks",
  "balancer/pickers/picker-memory": "what every picker leaves in memory",
  "cli/admin/stat-top": "the commands stat and top on one running process",
  "cli/hostile": "what the commands print of names and answers from outside",
  "cli/process": "the program as a process",
  "cli/widths": "what the commands write on terminals of several widths",
  "config/routes": "routes in a file, and the places of their faults",
  "connect/bad-answers": "answers that are none, from servers of every kind of fault",
  "connect/grpc-js-server": "a server of grpc-js, and the real Envoy in front of it",
  "server/grpc/bad-callers": "what callers of gRPC may send",
  "server/grpc/connect-routers": "routers of Connect behind the parts of inbound",
  "server/grpc/secured-calls": "calls of gRPC with identities",
  "envoy/every-field": "every field of the tables of Envoy",
  "envoy/in-the-wild": "files in the style of those that people have, on the real Envoy too",
  "gateway/attacks": "requests that a gateway must refuse, and headers that instances must not see",
  "gateway/conformance": "answers of instances, as clients of a gateway get them",
  "gateway/drain": "a gateway that leaves under load",
  "gateway/grpc": "calls of gRPC through a gateway",
  "gateway/memory": "the memory of a gateway while a gibibyte passes",
  "gateway/reconfigure": "a gateway that is changed while it runs",
  "gateway/secured-instances": "the name of an instance in TLS, whatever host a client names",
  "gateway/streaming": "bodies on their way through a gateway",
  "grpc/balancing": "the choice of instances for clients of grpc-js",
  "grpc/deadlines": "time limits of calls of grpc-js",
  "grpc/ends": "clients, meshes and servers of gRPC that end with calls open",
  "grpc/failures": "retries of calls of grpc-js, and what their errors tell",
  "grpc/identity": "clients of grpc-js over mutual TLS",
  "grpc/kinds": "every kind of call of a client of grpc-js",
  "grpc/nonsense": "wrong input of programs and instances of gRPC",
  "grpc/replacement": "instances of gRPC that are replaced under load",
  "nginx/layouts": "files of nginx as they are found in the world",
  "policies/retry/retry-conditions": "which failures are repeated, by the list of a user",
  "identity/mutations": "certificates and ids that were changed, against all that reads them",
  "identity/spiffe/jwt": "JWT-SVIDs and the keys to verify them, from an agent",
  "identity/spiffe/rotation": "two processes with identities of an agent each",
  "registries/consul/faults": "watches and registrations at an agent that fails",
  "routing/canary/fleet": "a canary of eight processes, in virtual time",
  "rotation/heed-retry-after": "an instance that asks for a pause, from the response to the rotation",
  "server/departures": "an instance that leaves, and its callers",
  "server/express": "a server of Express 5",
  "server/hard-stops": "stops of servers in odd states",
  "server/frameworks": "what programs and clients do to a stop, by each framework",
  "server/hung-registries": "stops of servers while a registry answers nothing",
  "server/http2": "servers of HTTP/2, and of TLS",
  "telemetry/http-instrumentation": "the observer beside the instrumentation of node:http",
  "telemetry/metrics/cardinality": "the number of series that names from outside can make",
  "telemetry/metrics/metrics-of-a-mesh": "the metrics of a mesh under calls",
  "telemetry/providers": "the observer with providers of OpenTelemetry's SDK",
  "telemetry/sdk-2": "the observer with version 2 of that SDK",
  "telemetry/undici-instrumentation": "the observer beside the instrumentation of undici",
  "testing/simulator/built-in": "the scenarios that come with the simulator",
  "testing/simulator/queueing": "the simulator against queueing theory",
  "wire/young-garbage": "what a call leaves to the collector, from the wire up",
};

const testsInRooms = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
  .map((name) => name.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".test.ts") && path.includes("/") && existsSync(join(src, path.split("/")[0] ?? "")))
  .map((path) => path.slice(0, -".test.ts".length));

it("a test in the folder of a room has the path of the file that it tests", () => {
  expect(testsInRooms.length).toBeGreaterThan(100);
  expect(testsInRooms.filter((path) => !["ts", "cjs"].some((ending) => existsSync(join(src, `${path}.${ending}`)))).sort()).toEqual(
    Object.keys(ofSeveralFiles).sort(),
  );
});
