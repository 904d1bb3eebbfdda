import { createSecureServer } from "node:http2";
import { expect, test } from "vitest";
import { staticDiscovery } from "../../src/discovery/file/static.ts";
import { gateway } from "../../src/gateway/gateway.ts";
import { createMesh } from "../../src/mesh/mesh.ts";
import { certificate } from "../support/certificate.ts";
import { exchange, listenOn } from "../support/gateway.ts";
import { closing } from "../support/mesh.ts";
import { listening } from "../support/servers.ts";

test.each(["h1", "h2"] as const)(
  "the host of a client does not choose the name by which an instance is verified, over %s",
  async (protocol) => {
    const names: unknown[] = [];
    const SNICallback = (name: string, done: (error: null) => void): void => {
      names.push(name);
      done(null);
    };
    const instance = createSecureServer({ ...certificate, allowHTTP1: true, SNICallback }, (request, response) => {
      response.end(`seen ${request.authority || request.headers.host}`);
    });
    const port = await listening(instance);
    const mesh = closing(
      createMesh({
        discovery: staticDiscovery({ web: [{ host: "127.0.0.1", port, secure: true }] }),
        tls: { ca: certificate.cert, serverName: "eureka.test" },
        protocol,
        drainTimeoutMs: 0,
        retry: false,
      }),
    );
    const outside = await listenOn(gateway(mesh, { service: "web" }));
    for (const host of ["shop.example", "other.example", "eureka.test"]) {
      const answer = await exchange(outside, `GET / HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`, 2_000);
      expect(answer.split("\r\n")[0]).toBe("HTTP/1.1 200 OK");
      expect(answer).toContain(`seen ${host}`);
    }
    expect(new Set(names)).toEqual(new Set(["eureka.test"]));
  },
);
