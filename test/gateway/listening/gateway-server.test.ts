import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Gateway, type GatewayListenOptions, gateway } from "../../../src/gateway/gateway.ts";
import { Authority, type Issued } from "../../support/authority.ts";
import { exchange } from "../../support/gateway.ts";
import { meshOf } from "../../support/mesh.ts";
import { serve } from "../../support/servers.ts";

async function listening(options: GatewayListenOptions, proxy?: Gateway): Promise<number> {
  const instance = await serve((_request, response) => response.end("ok"));
  const server = await (proxy ?? gateway(meshOf({ web: instance.port }), { service: "web" })).listen(options);
  onTestFinished(() => {
    if ("closeAllConnections" in server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "inmesh-gateway-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** Writes a certificate and its key, each in one step. */
function write(directory: string, name: string, { chain, key }: Issued): { readonly cert: string; readonly key: string } {
  for (const [ending, text] of [
    ["crt", chain],
    ["key", key],
  ] as const) {
    const path = join(directory, `${name}.${ending}`);
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
  return { cert: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) };
}

const shown = (port: number, servername: string | undefined): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connectTls(
      { port, host: "127.0.0.1", rejectUnauthorized: false, ...(servername === undefined ? {} : { servername }) },
      () => {
        resolve(String(socket.getPeerCertificate().subjectaltname));
        socket.destroy();
      },
    );
    socket.on("error", reject);
  });

describe("a gateway over TLS", () => {
  test("shows the certificate for the name that is asked for, else the first, and takes new ones from their files", async () => {
    const authority = await Authority.create("outside");
    const directory = folder();
    const shop = write(directory, "shop", await authority.issue({ dnsNames: ["shop.example"] }));
    const api = write(directory, "api", await authority.issue({ dnsNames: ["*.api.example"] }));
    const port = await listening({ certificates: [shop, api] });
    expect(await shown(port, "shop.example")).toBe("DNS:shop.example");
    expect(await shown(port, "v1.api.example")).toBe("DNS:*.api.example");
    expect(await shown(port, "unknown.example")).toBe("DNS:shop.example");
    expect(await shown(port, undefined)).toBe("DNS:shop.example");
    write(directory, "shop", await authority.issue({ dnsNames: ["shop.example", "www.shop.example"] }));
    await expect.poll(() => shown(port, "www.shop.example"), { timeout: 10_000 }).toBe("DNS:shop.example, DNS:www.shop.example");
    await expect.poll(() => shown(port, undefined)).toBe("DNS:shop.example, DNS:www.shop.example");
  });

  test("speaks HTTP/2 to clients that offer it, and HTTP/1.1 to others, WebSockets included", async () => {
    const authority = await Authority.create("outside");
    const pair = write(folder(), "shop", await authority.issue({ dnsNames: ["shop.example"] }));
    const port = await listening({ certificates: [pair] });
    const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: authority.certificate, servername: "shop.example" });
    onTestFinished(() => session.destroy());
    const status = await new Promise((resolve, reject) => {
      session.on("error", reject);
      session
        .request({ ":path": "/" })
        .on("response", (headers) => resolve(headers[":status"]))
        .resume();
    });
    expect(status).toBe(200);
    const over1 = await new Promise<string>((resolve) => {
      const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] }, () =>
        socket.write("GET / HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n\r\n"),
      );
      let text = "";
      socket.on("data", (chunk) => (text += chunk));
      socket.on("close", () => resolve(text));
    });
    expect(over1).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  test("does not begin without a certificate that can be used", async () => {
    const directory = folder();
    const proxy = gateway(meshOf({ web: [] }), { service: "web" });
    const missing = { cert: join(directory, "no.crt"), key: join(directory, "no.key") };
    await expect(proxy.listen({ certificates: [missing] })).rejects.toThrow(/certificates\[0\] cannot be used/);
    await expect(proxy.listen({ certificates: [{ cert: "-----BEGIN CERTIFICATE-----" } as never] })).rejects.toThrow(/must have the files/);
  });
});

describe("the connections of a gateway", () => {
  test("end where the head of a request does not come in time", async () => {
    const port = await listening({ headTimeoutMs: 300 });
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write("GET / HTTP/1.1\r\nx: ");
    const dripping = setInterval(() => socket.write("y"), 20);
    const text = await new Promise<string>((resolve) => {
      let got = "";
      socket.on("data", (chunk) => (got += chunk));
      socket.on("close", () => resolve(got));
    });
    clearInterval(dripping);
    expect(text).toMatch(/^(?:HTTP\/1\.1 408 |$)/);
  });

  test("are bounded for each client, and free again when they end", async () => {
    const port = await listening({ maxConnectionsPerClient: 2 });
    const open = (): Promise<Socket> =>
      new Promise((resolve) => {
        const socket = connect(port, "127.0.0.1", () => resolve(socket));
        socket.on("error", () => {});
      });
    const [first] = [await open(), await open()];
    const third = await open();
    await expect.poll(() => third.destroyed || third.readableEnded || third.closed).toBe(true);
    first?.destroy();
    await expect.poll(() => exchange(port, "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", 500)).toMatch(/^HTTP\/1\.1 200/);
  });

  test("carry a request that asks for a protocol which the gateway does not change to, like any other", async () => {
    const port = await listening({});
    const text = await exchange(
      port,
      "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAM\r\n\r\n",
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  test("tell a client that waits for it to send its body, once the request has been let pass", async () => {
    const port = await listening({});
    const ask = (length: number) =>
      new Promise<string>((resolve, reject) => {
        let heard = "";
        const headers = { expect: "100-continue", "content-length": length };
        const call = request({ port, host: "127.0.0.1", method: "POST", headers }, (response) => {
          response.resume();
          resolve(`${heard}${response.statusCode}`);
        });
        call.on("continue", () => {
          heard = "continue ";
          call.end("x".repeat(length));
        });
        call.on("error", reject);
        call.flushHeaders();
      });
    expect(await ask(10)).toBe("continue 200");
    expect(await ask(2_000_000)).toBe("413");
  });
});
