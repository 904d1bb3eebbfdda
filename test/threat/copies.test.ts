import { expect, it } from "vitest";
import type { MirrorEvent } from "../../src/core/observing/routes/route-events.ts";
import type { MeshOptions } from "../../src/mesh/mesh-options.ts";
import { continueFrom } from "../../src/policies/incoming.ts";
import { meshOf } from "../support/mesh.ts";
import { serve } from "../support/servers.ts";
import { until } from "../support/until.ts";

const secrets = [
  "authorization",
  "cookie",
  "proxy-authorization",
  "x-api-key",
  "x-amz-security-token",
  "x-forwarded-client-cert",
  "x-remote-user",
];

async function copied(options: Partial<MeshOptions> = {}) {
  const service = await serve();
  const shadow = await serve();
  const told: (string | undefined)[] = [];
  const mesh = meshOf(
    { orders: service.port, shadow: shadow.port },
    {
      routes: [{ match: { service: "orders" }, mirror: { service: "shadow" } }],
      observers: [{ onEvent: (event) => void (event.type === "mirror" && told.push(saidOf(event))) }],
      ...options,
    },
  );
  return { mesh, service, shadow, told };
}

const saidOf = ({ outcome, omission }: MirrorEvent): string | undefined => outcome ?? omission;

it("T56: a copy of a call carries no credential, whatever spelling its name has", async () => {
  const { mesh, shadow, told } = await copied();
  const headers = Object.fromEntries(secrets.map((name, index) => [index % 2 === 0 ? name : name.toUpperCase(), "SECRET"]));
  await (await mesh.fetch("orders/1", { headers })).text();
  await until("the copy has ended", () => told.length === 1);
  expect(JSON.stringify(shadow.seen[0]?.rawHeaders)).not.toContain("SECRET");
});

it("T56: a call with a secret in its query is not copied", async () => {
  const { mesh, shadow, told } = await copied();
  for (const name of ["access_token", "api%5Fkey", "SIG"]) await (await mesh.fetch(`orders/1?page=2&${name}=SECRET`)).text();
  expect([told, shadow.begun]).toEqual([["credentials", "credentials", "credentials"], []]);
});

it("T56: a call that its service refuses reaches no mirror", async () => {
  const { mesh, shadow, told } = await copied({ services: { orders: { authorize: () => false } } });
  await expect(mesh.fetch("orders/1")).rejects.toMatchObject({ code: "ERR_MESH_FORBIDDEN" });
  await until("the copy is left out", () => told.length === 1);
  expect([told, shadow.begun]).toEqual([["forbidden"], []]);
});

it("T57: what is marked as a copy, and what it brings about, is copied by no process on its way", async () => {
  const { mesh, service, shadow } = await copied();
  await (await mesh.fetch("orders/1", { headers: { "X-Mesh-Mirrored": "" } })).text();
  await continueFrom({ "x-mesh-mirrored": "1" }, async () => (await mesh.fetch("orders/2")).text());
  expect(service.seen.map(({ headers }) => headers["x-mesh-mirrored"])).toEqual(["", "1"]);
  await (await mesh.fetch("orders/3")).text();
  await until("the one copy has come", () => shadow.seen.length === 1);
  expect(shadow.begun).toEqual(["GET /3"]);
});
