import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** An answer that a healthy registry would not give. */
export interface FaultyAnswer {
  readonly status: number;
  readonly body: string;
  /** `X-Consul-Index`; absent: no such header. */
  readonly index?: string;
}

/** Stands in front of a real registry and passes everything on, or gives a wrong answer itself. */
export class FaultyProxy {
  readonly url: string;
  /** Wrong answers given. */
  answered = 0;
  readonly #server: Server;
  #answer: FaultyAnswer | undefined = undefined;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Starts a proxy on a free port in front of `target`. */
  static async to(target: string): Promise<FaultyProxy> {
    let proxy: FaultyProxy | undefined;
    const server = createServer((incoming, outgoing) => {
      const answer = proxy?.takeAnswer();
      if (answer !== undefined) {
        outgoing.writeHead(answer.status, answer.index === undefined ? {} : { "x-consul-index": answer.index }).end(answer.body);
        return;
      }
      const onward = request(
        new URL(incoming.url ?? "/", target),
        { method: incoming.method ?? "GET", headers: incoming.headers },
        (response) => {
          outgoing.writeHead(response.statusCode ?? 502, response.headers);
          response.pipe(outgoing);
        },
      );
      onward.on("error", () => outgoing.destroy());
      outgoing.on("close", () => onward.destroy());
      incoming.pipe(onward);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    proxy = new FaultyProxy(server);
    return proxy;
  }

  /** From now on every request gets this answer; requests that wait for one are cut off. */
  answerWith(answer: FaultyAnswer): void {
    this.#answer = answer;
    this.#server.closeAllConnections();
  }

  /** From now on requests reach the registry again. */
  passThrough(): void {
    this.#answer = undefined;
  }

  /** The wrong answer to give, counted. */
  takeAnswer(): FaultyAnswer | undefined {
    if (this.#answer !== undefined) this.answered++;
    return this.#answer;
  }

  /** Ends every connection. */
  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
