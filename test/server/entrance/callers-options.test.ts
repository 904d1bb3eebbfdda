import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import type { CallersMode } from "../../../src/server/entrance/callers-options.ts";
import { type Serving, serve } from "../../../src/server/server.ts";
import { Authority, type Issued } from "../../support/authority.ts";
import { askPlain, askTls, credentialsOf, GivenIdentity } from "./secured.ts";

let authority: Authority;
let own: Issued;
let web: Issued;
beforeAll(async () => {
  authority = await Authority.create("td");
  own = await authority.issue({ uris: ["spiffe://td/orders"] });
  web = await authority.issue({ uris: ["spiffe://td/web"] });
});

interface Instance {
  readonly port: number;
  readonly serving: Serving;
}

/** An instance of the fleet: without an identity at first, then of a mode. */
async function instance(mode: CallersMode | undefined): Promise<Instance> {
  const server: Server = createServer((_request, response) => void response.end("ok"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const identity = new GivenIdentity(credentialsOf(own, { bundles: new Map([["td", [authority.certificate]]]) }));
  const serving = serve(server, {
    signals: [],
    lameDuckMs: 100,
    log: false,
    ...(mode === undefined ? {} : { identity, callers: { mode } }),
  });
  onTestFinished(async () => void (await serving.stop()));
  await serving.started;
  return { port: (server.address() as AddressInfo).port, serving };
}

test("a fleet moves from clear text to TLS only, instance by instance under traffic, with no failed request", async () => {
  let fleet: readonly Instance[] = await Promise.all([instance(undefined), instance(undefined), instance(undefined)]);
  let speaksTls = false;
  let isOver = false;
  const answers = { plain: 0, tls: 0 };
  const failures: unknown[] = [];
  const tls = { cert: web.chain, key: web.key, ca: authority.certificate };
  const caller = async (offset: number): Promise<void> => {
    for (let count = offset; !isOver; count++) {
      const { port } = fleet[count % fleet.length] as Instance;
      const kind = speaksTls ? "tls" : "plain";
      await (speaksTls ? askTls(port, tls, { method: "POST" }) : askPlain(port)).then(
        () => answers[kind]++,
        (error: unknown) => failures.push(error),
      );
      await turn();
    }
  };
  const callers = [caller(0), caller(1), caller(2)];
  const answered = async (kind: "plain" | "tls"): Promise<void> => {
    const before = answers[kind];
    while (answers[kind] < before + 20) await turn();
  };
  const replaceAll = async (mode: CallersMode, kind: "plain" | "tls"): Promise<void> => {
    for (let index = 0; index < fleet.length; index++) {
      const next = await instance(mode);
      const former = fleet[index] as Instance;
      fleet = fleet.with(index, next);
      await former.serving.stop();
      await answered(kind);
    }
  };
  // 1. The servers take both. 2. The callers move. 3. The servers take TLS only.
  await replaceAll("permissive", "plain");
  speaksTls = true;
  await answered("tls");
  await replaceAll("strict", "tls");
  isOver = true;
  await Promise.all(callers);
  expect(failures).toEqual([]);
  for (const { port } of fleet) await expect(askPlain(port)).rejects.toThrow();
});
