import { expect, test } from "vitest";
import { MeshError, type MeshErrorCode, meshErrorCodes } from "../../src/core/errors.ts";
import { problemOf, problemText } from "../../src/gateway/problem.ts";
import { gatewayTo } from "../support/gateway.ts";
import { serve } from "../support/servers.ts";

test.each(Object.keys(meshErrorCodes) as MeshErrorCode[])("the answer for %s names nothing inside", (code) => {
  const error = new MeshError(code, "secret-service at 10.0.0.7:8080 failed", { service: "secret-service" });
  const problem = problemOf(error);
  expect(problem.status).toBeGreaterThanOrEqual(400);
  for (const accept of [undefined, "application/json"]) {
    const { text } = problemText(problem, accept, "id-1");
    expect(text + JSON.stringify(problem.headers)).not.toMatch(/secret|10\.0|8080|MESH/);
  }
});

test("an exhausted retry is answered as its last error", () => {
  const cause = new MeshError("ERR_MESH_TIMEOUT", "too slow");
  expect(problemOf(new MeshError("ERR_MESH_RETRY_EXHAUSTED", "3 attempts", { cause })).status).toBe(504);
});

test("a failed call gets 502 with the id of the request, as a problem for clients that take JSON; the program learns the error", async () => {
  const failures: unknown[] = [];
  const gone = await serve();
  await gone.close();
  const { port } = await gatewayTo(gone.port, { tellExecuted: true, onFailure: (failure) => failures.push(failure) });
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { accept: "application/json", "x-request-id": "mine" } });
  expect(response.status).toBe(502);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(response.headers.get("x-request-id")).toBe("mine");
  expect(response.headers.get("x-maybe-executed")).toBe("false");
  expect(await response.json()).toEqual({ type: "about:blank", title: "Bad Gateway", status: 502, requestId: "mine" });
  expect(failures).toMatchObject([{ status: 502, requestId: "mine", error: { service: "web" } }]);
});

test("a request without an instance gets 503 and when to come again", async () => {
  const { port } = await gatewayTo([], {}, { discoveryTimeoutMs: 50 });
  const response = await fetch(`http://127.0.0.1:${port}/`);
  expect(response.status).toBe(503);
  expect(response.headers.get("retry-after")).toBe("1");
  expect(await response.text()).toBe("Service Unavailable\n");
});
