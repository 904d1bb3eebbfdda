import { rmSync } from "node:fs";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import {
  JWTBundlesResponseSchema,
  type JWTSVIDRequest,
  JWTSVIDRequestSchema,
  JWTSVIDResponseSchema,
  X509SVIDResponseSchema,
} from "../../src/identity/spiffe/protos/workload_pb.ts";
import type { Authority, Issued } from "./authority.ts";

type Stream = ServerWritableStream<Buffer, Buffer>;
type X509Message = MessageInitShape<typeof X509SVIDResponseSchema>;

const asItIs = (bytes: Buffer): Buffer => bytes;
const method = (name: string, responseStream: boolean) => ({
  path: `/SpiffeWorkloadAPI/${name}`,
  requestStream: false,
  responseStream,
  requestSerialize: asItIs,
  requestDeserialize: asItIs,
  responseSerialize: asItIs,
  responseDeserialize: asItIs,
});

/** An agent that serves the SPIFFE Workload API to tests: a double, not SPIRE. It sends what a test gives it, right or wrong. */
export class WorkloadAgent {
  readonly socket: string;
  /** The headers of each stream of X.509-SVIDs, in their order. */
  readonly asked: Metadata[] = [];
  /** The requests for JWT-SVIDs. */
  readonly jwtRequests: JWTSVIDRequest[] = [];
  /** How each request is refused; `undefined`: it is served. */
  refusal: { code: status; details: string } | undefined = undefined;
  /** Takes streams and says nothing. */
  isSilent = false;
  jwtAnswer: MessageInitShape<typeof JWTSVIDResponseSchema> = {};
  #x509: Buffer | undefined = undefined;
  #jwtBundles: Buffer | undefined = undefined;
  readonly #streams = new Map<Stream, "x509" | "jwt">();
  #server: Server | undefined = undefined;

  constructor(path: string) {
    this.socket = `unix://${path}`;
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** Begins to listen, on a new file of that name. */
  async start(): Promise<void> {
    rmSync(this.socket.slice(7), { force: true });
    const server = new Server();
    server.addService(
      { x509: method("FetchX509SVID", true), jwtBundles: method("FetchJWTBundles", true), jwt: method("FetchJWTSVID", false) },
      {
        x509: (stream: Stream) => this.#serve(stream, "x509"),
        jwtBundles: (stream: Stream) => this.#serve(stream, "jwt"),
        jwt: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => this.#answer(call, answer),
      },
    );
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${this.socket.slice(7)}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()));
    });
    this.#server = server;
  }

  /** Ends at once, with all connections. */
  stop(): void {
    this.#server?.forceShutdown();
    this.#server = undefined;
    this.#streams.clear();
  }

  /** What all streams of X.509-SVIDs get now, and each new one first. */
  give(message: X509Message): void {
    this.giveBytes(Buffer.from(toBinary(X509SVIDResponseSchema, create(X509SVIDResponseSchema, message))));
  }

  /** The same with bytes that may be no message. */
  giveBytes(bytes: Buffer): void {
    this.#x509 = bytes;
    for (const [stream, kind] of this.#streams) if (kind === "x509") stream.write(bytes);
  }

  /** What all streams of JWT bundles get now, and each new one first. */
  giveJwtBundles(bundles: Readonly<Record<string, string>>): void {
    const message = { bundles: Object.fromEntries(Object.entries(bundles).map(([domain, text]) => [domain, Buffer.from(text)])) };
    this.#jwtBundles = Buffer.from(toBinary(JWTBundlesResponseSchema, create(JWTBundlesResponseSchema, message)));
    for (const [stream, kind] of this.#streams) if (kind === "jwt") stream.write(this.#jwtBundles);
  }

  /** Ends all streams in this way. */
  end(code: status, details: string): void {
    for (const stream of this.#streams.keys()) stream.emit("error", { code, details });
    this.#streams.clear();
  }

  #serve(stream: Stream, kind: "x509" | "jwt"): void {
    this.asked.push(stream.metadata);
    if (this.refusal !== undefined) {
      stream.emit("error", this.refusal);
      return;
    }
    if (stream.metadata.get("workload.spiffe.io")[0] !== "true") {
      stream.emit("error", { code: status.INVALID_ARGUMENT, details: "security header missing from request" });
      return;
    }
    this.#streams.set(stream, kind);
    stream.on("cancelled", () => this.#streams.delete(stream));
    const first = kind === "x509" ? this.#x509 : this.#jwtBundles;
    if (!this.isSilent && first !== undefined) stream.write(first);
  }

  #answer(call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void {
    this.jwtRequests.push(fromBinary(JWTSVIDRequestSchema, call.request));
    if (this.refusal !== undefined) answer(this.refusal);
    else if (!this.isSilent) answer(null, Buffer.from(toBinary(JWTSVIDResponseSchema, create(JWTSVIDResponseSchema, this.jwtAnswer))));
  }
}

/** The DER of all values in a PEM text, one after the other. */
export function derOf(pem: string): Buffer {
  const values = pem.match(/(?<=-----BEGIN [^-]+-----)[^-]+(?=-----END)/g) ?? [];
  return Buffer.concat(values.map((text) => Buffer.from(text, "base64")));
}

/** An SVID as the Workload API sends it. */
export function svidOf(spiffeId: string, { chain, key }: Issued, authority: Authority, hint = "") {
  return { spiffeId, x509Svid: derOf(chain), x509SvidKey: derOf(key), bundle: derOf(authority.certificate), hint };
}
