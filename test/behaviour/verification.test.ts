import { createServer } from "node:https";
import { expect, it, onTestFinished, vi } from "vitest";
import { consul } from "../../src/registries/consul.ts";
import { eureka } from "../../src/registries/eureka.ts";
import { certificate } from "../support/certificate.ts";
import { rejectionOf } from "../support/rejection.ts";
import { listening } from "../support/servers.ts";

it.each(["consul", "eureka"] as const)(
  "%s is not asked where its certificate is refused, whatever NODE_TLS_REJECT_UNAUTHORIZED says",
  async (kind) => {
    let asked = 0;
    const server = createServer(certificate, (_request, response) => {
      asked++;
      response.end("[]");
    });
    server.on("tlsClientError", () => {});
    const url = `https://127.0.0.1:${await listening(server)}`;
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    onTestFinished(() => void vi.unstubAllEnvs());
    const discovery = kind === "consul" ? consul({ url, token: "canary" }) : eureka({ servers: [url] });
    onTestFinished(() => discovery.close?.());
    const answers = discovery.watch("users", new AbortController().signal)[Symbol.asyncIterator]();
    expect(await rejectionOf(answers.next())).toMatchObject({ code: "ERR_MESH_DISCOVERY" });
    expect(asked).toBe(0);
  },
);
