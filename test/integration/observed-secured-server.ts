import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:tls";
import type { IdentitySource } from "../../src/extend.ts";
import type { Mesh } from "../../src/index.ts";
import { serve } from "../../src/server/server.ts";
import { certificate } from "../support/certificate.ts";

const host = "127.0.0.1";

/** The identity of the test certificate, which vouches for itself. */
const identity: IdentitySource = {
  name: "given",
  watch(listener) {
    const { cert, key } = certificate;
    queueMicrotask(() => listener.update({ certificate: cert, key, trust: { authorities: [cert], bundles: new Map() } }));
    return { close: () => {} };
  },
};

/** A permissive server with an identity: it is called in clear text and over TLS, refuses some connections, and denies what an attacker asks for. */
export class ObservedSecuredServer implements AsyncDisposable {
  readonly #serving: ReturnType<typeof serve>;
  readonly #timers: NodeJS.Timeout[];
  readonly #port: number;
  #attack: NodeJS.Timeout | undefined = undefined;

  static async start(mesh: Mesh): Promise<ObservedSecuredServer> {
    const server = createServer((_, response) => void response.end("ok"));
    await once(server.listen(0, host), "listening");
    const serving = serve(server, {
      mesh,
      identity,
      callers: { mode: "permissive" },
      signals: [],
      log: false,
      lameDuckMs: 0,
      inbound: {
        authorization: {
          policy: {
            rules: [
              { id: "no-admin", action: "deny", to: { paths: ["/admin"] } },
              { id: "all", action: "allow" },
            ],
          },
        },
      },
    });
    await serving.started;
    const started = new ObservedSecuredServer(serving, (server.address() as AddressInfo).port);
    // The series of denials is there before there are many.
    started.#ask("/admin");
    return started;
  }

  private constructor(serving: ReturnType<typeof serve>, port: number) {
    this.#serving = serving;
    this.#port = port;
    this.#timers = [
      setInterval(() => this.#ask("/"), 100),
      setInterval(() => this.#shake(certificate), 200),
      // Without a certificate.
      setInterval(() => this.#shake({}), 200),
    ];
  }

  /** Denials rise. */
  attack(): void {
    this.#attack = setInterval(() => this.#ask("/admin"), 50);
  }

  /** They end. */
  endAttack(): void {
    clearInterval(this.#attack);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.endAttack();
    for (const timer of this.#timers) clearInterval(timer);
    await this.#serving.stop();
  }

  #ask(path: string): void {
    void fetch(`http://${host}:${this.#port}${path}`).then(
      (response) => response.text(),
      () => {},
    );
  }

  #shake(own: { readonly cert?: string; readonly key?: string }): void {
    const socket = connect({ host, port: this.#port, ca: certificate.cert, ...own }, () => socket.end());
    socket.resume().on("error", () => {});
  }
}
