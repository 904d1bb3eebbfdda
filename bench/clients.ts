/** A client as the benches call it: each call reads the JSON answer to its end. */
export interface BenchClient {
  get(): Promise<unknown>;
  /** Sends {@link document} with its content type. */
  post(): Promise<unknown>;
}

/** The JSON document of 1 KiB that is posted. It is text already: `JSON.stringify` costs every client the same. */
const document = JSON.stringify({ id: 42, text: "x".repeat(1_024 - 20) });
const headers = { "content-type": "application/json" };
const path = "/users/42";

/**
 * Makes each client for the ports of the instances; clients without balancing use the first. Packages are imported here, so that the process of
 * one client loads none of the others. All clients keep connections alive, and have the features that are on by default.
 */
export const clients: Readonly<Record<string, (ports: readonly number[]) => Promise<BenchClient>>> = {
  async "mesh.fetch"(ports) {
    const { createMesh, staticDiscovery } = await import("../src/index.ts");
    const users = ports.map((port) => ({ host: "127.0.0.1", port }));
    const mesh = createMesh({ discovery: staticDiscovery({ users }) });
    return {
      get: async () => (await mesh.fetch("users/users/42")).json(),
      post: async () => (await mesh.fetch("users/users/42", { method: "POST", headers, body: document })).json(),
    };
  },

  async "mesh.request"(ports) {
    const { createMesh, staticDiscovery } = await import("../src/index.ts");
    const users = ports.map((port) => ({ host: "127.0.0.1", port }));
    const mesh = createMesh({ discovery: staticDiscovery({ users }) });
    return {
      get: async () => (await mesh.request("users/users/42")).body.json(),
      post: async () => (await mesh.request("users/users/42", { method: "POST", headers, body: document })).body.json(),
    };
  },

  async "undici.request"(ports) {
    const { request } = await import("undici");
    const url = firstUrl(ports);
    return {
      get: async () => (await request(url)).body.json(),
      post: async () => (await request(url, { method: "POST", headers, body: document })).body.json(),
    };
  },

  async "undici BalancedPool"(ports) {
    const { BalancedPool } = await import("undici");
    const pool = new BalancedPool(ports.map((port) => `http://127.0.0.1:${port}`));
    return {
      get: async () => (await pool.request({ path, method: "GET" })).body.json(),
      post: async () => (await pool.request({ path, method: "POST", headers, body: document })).body.json(),
    };
  },

  async "undici.fetch"(ports) {
    const { fetch: undiciFetch } = await import("undici");
    const url = firstUrl(ports);
    return {
      get: async () => (await undiciFetch(url)).json(),
      post: async () => (await undiciFetch(url, { method: "POST", headers, body: document })).json(),
    };
  },

  async "Node's fetch"(ports) {
    const url = firstUrl(ports);
    return {
      get: async () => (await fetch(url)).json(),
      post: async () => (await fetch(url, { method: "POST", headers, body: document })).json(),
    };
  },

  async "Node's fetch + cockatiel"(ports) {
    const { circuitBreaker, ConsecutiveBreaker, ExponentialBackoff, handleAll, retry, wrap } = await import("cockatiel");
    const policy = wrap(
      retry(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff() }),
      circuitBreaker(handleAll, { halfOpenAfter: 1_000, breaker: new ConsecutiveBreaker(5) }),
    );
    const url = firstUrl(ports);
    return {
      get: async () => (await policy.execute(() => fetch(url))).json(),
      post: async () => (await policy.execute(() => fetch(url, { method: "POST", headers, body: document }))).json(),
    };
  },

  async ky(ports) {
    const { default: ky } = await import("ky");
    const url = firstUrl(ports);
    return {
      get: () => ky.get(url).json(),
      post: () => ky.post(url, { headers, body: document }).json(),
    };
  },

  async axios(ports) {
    const { Agent } = await import("node:http");
    const { create } = (await import("axios")).default;
    const axios = create({ adapter: "http", httpAgent: new Agent({ keepAlive: true }) });
    const url = firstUrl(ports);
    return {
      get: async () => (await axios.get(url)).data,
      post: async () => (await axios.post(url, document, { headers })).data,
    };
  },

  async got(ports) {
    const { Agent } = await import("node:http");
    const { default: got } = await import("got");
    const client = got.extend({ agent: { http: new Agent({ keepAlive: true }) } });
    const url = firstUrl(ports);
    return {
      get: () => client.get(url).json(),
      post: () => client.post(url, { headers, body: document }).json(),
    };
  },
};

function firstUrl(ports: readonly number[]): string {
  return `http://127.0.0.1:${ports[0]}${path}`;
}
