import { requestHeaders } from "../src/core/http/request-headers.ts";
import { meshRequest } from "../src/core/mesh-request.ts";
import { checkRoutes } from "../src/routing/checks/check-routes.ts";
import type { RoutableRequest } from "../src/routing/matching/routed-call.ts";
import type { Route } from "../src/routing/route.ts";
import { compileRoutes, type RouteTable } from "../src/routing/route-table.ts";
import { measuredVersion } from "./measured-node.ts";
import { atMost, type BenchReport } from "./report.ts";
import { measureRounds } from "./rounds.ts";

const decisions = 200_000;
const sizes = [100, 10_000] as const;

/** Rules and calls of one shape: the rule by its place, and the path and headers of a call that it is for. */
interface Shape {
  readonly route: (index: number) => Route;
  readonly path: (index: number) => string;
  readonly headers?: (index: number) => Readonly<Record<string, string>>;
  /** The same rule for a router of paths alone; `undefined` where it cannot have one. */
  readonly pattern?: (index: number) => string;
}

const shapes: Readonly<Record<string, Shape>> = {
  exact: {
    route: (index) => ({ match: { path: { exact: `/v1/area-${index % 97}/page-${index}` } }, to: "orders" }),
    path: (index) => `/v1/area-${index % 97}/page-${index}`,
    pattern: (index) => `/v1/area-${index % 97}/page-${index}`,
  },
  prefix: {
    route: (index) => ({ match: { path: { prefix: `/v1/area-${index % 97}/app-${index}` } }, to: "orders", rewrite: { prefix: "/" } }),
    path: (index) => `/v1/area-${index % 97}/app-${index}/users/7?full=1`,
    pattern: (index) => `/v1/area-${index % 97}/app-${index}/*`,
  },
  template: {
    route: (index) => ({ match: { method: "GET", path: { template: `/v1/{tenant}/things-${index}/{id}` } }, to: "orders" }),
    path: (index) => `/v1/t${index % 7}/things-${index}/42`,
    pattern: (index) => `/v1/:tenant/things-${index}/:id`,
  },
  // All are of one of 50 services; one of five asks for a header, too.
  mixed: {
    route: (index) => {
      const service = `service-${index % 50}`;
      if (index % 5 === 0)
        return { match: { service, path: { prefix: `/p-${index}` }, headers: { "x-user": { prefix: "7" } } }, to: "orders" };
      return { match: { service, method: ["GET", "HEAD"], path: { prefix: `/p-${index}` } }, to: "orders" };
    },
    path: (index) => `/p-${index}/12`,
    headers: (index) => (index % 5 === 0 ? { "x-user": "77" } : {}),
  },
  // Without a bound: the time is that of the package that matches them.
  pattern: {
    route: (index) => ({ match: { path: { pattern: `/p-${index}/[0-9]+` } }, to: "orders" }),
    path: (index) => `/p-${index}/12`,
  },
};

interface Prepared {
  readonly table: RouteTable;
  readonly requests: readonly RoutableRequest[];
  /** Finds by a router of paths alone. */
  readonly find: ((request: RoutableRequest) => unknown) | undefined;
}

type Router = { on(method: string, path: string, handler: () => void): void; find(method: string, path: string): unknown };

async function newRouter(): Promise<Router | undefined> {
  // It comes with a framework of the tests, and is none of this package.
  const name = "find-my-way";
  const found = (await import(name).catch(() => undefined)) as { readonly default: () => Router } | undefined;
  return found?.default();
}

async function prepared({ route, path, headers, pattern }: Shape, size: number): Promise<Prepared> {
  const routes = Array.from({ length: size }, (_, index) => route(index));
  checkRoutes("routes", routes);
  const requests = Array.from({ length: 1_024 }, (_, turn) => {
    const index = (turn * 7_919) % size;
    const service = `service-${index % 50}`;
    return meshRequest({ service, method: "GET", path: path(index), headers: requestHeaders(headers?.(index) ?? {}), body: undefined });
  });
  const router = pattern === undefined ? undefined : await newRouter();
  if (router !== undefined && pattern !== undefined) for (let index = 0; index < size; index++) router.on("GET", pattern(index), () => {});
  return { table: compileRoutes(routes), requests, find: router && (({ method, path: asked }) => router.find(method, asked)) };
}

/** Microseconds of one decision. */
function timed(requests: readonly RoutableRequest[], count: number, decide: (request: RoutableRequest) => unknown): number {
  let missed = 0;
  const startedAt = performance.now();
  for (let index = 0; index < count; index++) if (decide(requests[index & 1_023] as RoutableRequest) == null) missed++;
  const took = performance.now() - startedAt;
  if (missed > 0) throw new Error(`${missed} calls found no route`);
  return (took * 1_000) / count;
}

/** Measures the decision on a call among 100 and 10,000 routes, beside looking at each route in turn and beside a router of paths. */
export async function routes(rounds = 9): Promise<BenchReport> {
  const cases: Record<string, () => Promise<number>> = {};
  for (const [shape, definition] of Object.entries(shapes)) {
    for (const size of sizes) {
      const { table, requests, find } = await prepared(definition, size);
      const name = `${shape}, ${size}`;
      cases[name] = async () => timed(requests, decisions, (request) => table.decide(request, () => 0.5));
      cases[`${name}: in turn`] = async () => timed(requests, decisions / size, (request) => table.explain(request).matched);
      if (find !== undefined) cases[`${name}: find-my-way`] = async () => timed(requests, decisions, find);
    }
  }
  const measured = await measureRounds("routes", rounds, cases);
  const best = (name: string): number | undefined => (Object.hasOwn(cases, name) ? Math.min(...measured.values(name)) : undefined);
  const names = Object.keys(shapes).flatMap((shape) => sizes.map((size) => ({ name: `${shape}, ${size}`, size })));
  const rows = names.map(({ name }): readonly (string | number)[] => [
    name,
    best(name) ?? 0,
    best(`${name}: in turn`) ?? 0,
    best(`${name}: find-my-way`) ?? "-",
  ]);
  return {
    bench: "routes",
    about:
      "Time of the decision on a call by a table of routes: by its index, by each route in turn, and by a router that knows paths and methods only",
    node: measuredVersion(),
    rounds,
    columns: ["routes", "µs by the index", "µs in turn", "µs by find-my-way"],
    rows,
    bounds: names
      .filter(({ name }) => !name.startsWith("pattern"))
      .map(({ name, size }) => atMost(`µs of a decision: ${name}`, best(name) ?? 0, size === 100 ? 1 : 3)),
    ratios: Object.fromEntries(names.map(({ name }) => [`${name} × in turn`, (best(name) ?? 0) / (best(`${name}: in turn`) ?? 1)])),
  };
}
