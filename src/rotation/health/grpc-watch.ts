import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, type IncomingHttpHeaders } from "node:http2";
import { Cancellation } from "../../core/cancellation.ts";
import { rpcStatus } from "../../core/rpc/rpc-status.ts";
import type { Upstream } from "../../core/upstream.ts";
import { FrameReader } from "../../rpc/frames.ts";
import { readHealthAnswer } from "../../rpc/health-messages.ts";
import { connect, type OpenConnection } from "./health-check-connection.ts";
import { grpcHealthRequest, grpcWatchPath } from "./health-check-grpc.ts";

/** The largest message that is read: a status has two bytes. */
const maxMessage = 1_024;

/** An instance says of itself that it does not serve: that needs no second word. */
export class SaidNotServing extends Error {}

/** The instance has no `Watch`. */
export class WatchUnimplemented extends Error {}

/** Hears of a stream of `Watch`. */
export interface WatchListener {
  /** It has told its first status. */
  onFirst(): void;
  /** It has told another status. */
  onNews(): void;
  /** It is there no more. */
  onEnd(): void;
}

/** Where a stream goes, and what it asks for. */
export interface WatchTarget {
  readonly upstream: Upstream;
  readonly service: string;
  readonly open: OpenConnection;
}

/** One stream of `grpc.health.v1.Health/Watch` to an instance, on a connection of its own. */
export class GrpcWatch {
  readonly #listener: WatchListener;
  readonly #life = new Cancellation();
  readonly #first = Promise.withResolvers<void>();
  readonly #frames = new FrameReader(maxMessage);
  #session: ClientHttp2Session | undefined = undefined;
  #status: string | undefined = undefined;
  #hasEnded = false;

  constructor(target: WatchTarget, listener: WatchListener) {
    this.#listener = listener;
    // It is asked for where the first status is waited for.
    this.#first.promise.catch(() => {});
    void this.#begin(target);
  }

  /** Whether it has told a status, and is there. */
  get isTelling(): boolean {
    return this.hasTold && !this.#hasEnded;
  }

  /** Whether it has ever told a status. */
  get hasTold(): boolean {
    return this.#status !== undefined;
  }

  /** Resolves where the last status is `SERVING` and the instance answers on the connection; else rejects. */
  async check(): Promise<void> {
    // The first status is an answer, even of an instance that ends the stream with it.
    if (this.hasTold) await this.#ping();
    else await this.#first.promise;
    if (this.#status !== "SERVING") throw new SaidNotServing(`it says ${this.#status}`);
  }

  end(): void {
    this.#end(new Error("the watch was ended"));
  }

  async #begin({ upstream, service, open }: WatchTarget): Promise<void> {
    try {
      const socket = await connect(open, upstream, ["h2"], this.#life);
      const session = connectHttp2(`http://${upstream.authority}`, { createConnection: () => socket });
      this.#session = session;
      session.unref();
      session.on("error", (error) => this.#end(error));
      session.once("close", () => this.#end(new Error("the connection was closed")));
      const stream = session.request({
        ":method": "POST",
        ":path": grpcWatchPath,
        ":authority": upstream.authority,
        "user-agent": "inmesh-health-check",
        "content-type": "application/grpc",
        te: "trailers",
      });
      this.#read(stream);
      stream.end(grpcHealthRequest(service));
    } catch (error) {
      this.#end(error);
    }
  }

  #read(stream: ClientHttp2Stream): void {
    let fields: IncomingHttpHeaders & { ":status"?: number | undefined } = {};
    stream.on("error", (error) => this.#end(error));
    stream.once("response", (head) => {
      fields = head;
      if (head[":status"] !== 200) this.#end(new Error(`it answered ${head[":status"]}`));
    });
    stream.once("trailers", (trailers) => (fields = trailers));
    stream.on("data", (chunk: Buffer) => this.#take(chunk));
    stream.once("end", () => {
      const code = fields["grpc-status"];
      const isUnimplemented = code === String(rpcStatus.UNIMPLEMENTED);
      this.#end(
        isUnimplemented ? new WatchUnimplemented("it has no Watch") : new Error(`the watch ended with grpc-status ${code ?? "none"}`),
      );
    });
    stream.once("close", () => this.#end(new Error("the watch was cut off")));
  }

  #take(chunk: Buffer): void {
    try {
      for (const { flags, data } of this.#frames.push(chunk)) {
        if (flags !== 0) throw new Error("the answer is no gRPC message without compression");
        this.#tell(readHealthAnswer(data));
      }
    } catch (error) {
      this.#end(error);
    }
  }

  #tell(status: string): void {
    if (this.#hasEnded || status === this.#status) return;
    const isFirst = this.#status === undefined;
    this.#status = status;
    if (isFirst) {
      this.#listener.onFirst();
      this.#first.resolve();
    } else this.#listener.onNews();
  }

  /** A peer that has gone without a word leaves its connection open. */
  #ping(): Promise<void> {
    return new Promise((resolve, reject) => {
      const session = this.#session;
      if (session === undefined || session.destroyed || this.#hasEnded) return reject(new Error("the watch has ended"));
      session.ping((error) => (error === null ? resolve() : reject(error)));
    });
  }

  #end(why: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#first.reject(why);
    this.#life.cancel(why);
    this.#session?.destroy();
    this.#listener.onEnd();
  }
}
