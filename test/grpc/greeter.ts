import { setTimeout as sleep } from "node:timers/promises";
import * as grpc from "@grpc/grpc-js";
import { onTestFinished } from "vitest";

/** Text as a message: the bytes of its UTF-8. */
const text = {
  requestSerialize: (value: string): Buffer => Buffer.from(value),
  requestDeserialize: (bytes: Buffer): string => bytes.toString(),
  responseSerialize: (value: string): Buffer => Buffer.from(value),
  responseDeserialize: (bytes: Buffer): string => bytes.toString(),
};

const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Greeter/${name}`,
  requestStream,
  responseStream,
  originalName: name.charAt(0).toLowerCase() + name.slice(1),
  ...text,
});

/** A service with a method of each kind, and one that may be executed twice. */
export const greeter = {
  Greet: method("Greet", false, false),
  Read: { ...method("Read", false, false), options: { idempotency_level: "NO_SIDE_EFFECTS" } },
  Count: method("Count", false, true),
  Collect: method("Collect", true, false),
  Talk: method("Talk", true, true),
};

type Unary = (
  request: string,
  metadata: grpc.Metadata,
  options: grpc.CallOptions,
  told: (error: grpc.ServiceError | null, answer: string) => void,
) => grpc.ClientUnaryCall;

/** A client of {@link greeter}, as generated code has it. */
export interface GreeterClient extends grpc.Client {
  greet: Unary;
  read: Unary;
  count(request: string, metadata?: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<string>;
  collect(
    metadata: grpc.Metadata,
    options: grpc.CallOptions,
    told: (error: grpc.ServiceError | null, answer: string) => void,
  ): grpc.ClientWritableStream<string>;
  talk(metadata?: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<string, string>;
}

export const Greeter = grpc.makeGenericClientConstructor(greeter as unknown as grpc.ServiceDefinition, "Greeter") as unknown as {
  new (address: string, credentials: grpc.ChannelCredentials, options?: Partial<grpc.ClientOptions>): GreeterClient;
  readonly service: grpc.ServiceDefinition;
};

/** The methods of an instance. */
export interface GreeterHandlers {
  greet?: grpc.handleUnaryCall<string, string>;
  read?: grpc.handleUnaryCall<string, string>;
  count?: grpc.handleServerStreamingCall<string, string>;
  collect?: grpc.handleClientStreamingCall<string, string>;
  talk?: grpc.handleBidiStreamingCall<string, string>;
}

/** An instance on its port. */
export interface GreeterInstance {
  readonly port: number;
  readonly server: grpc.Server;
  /** Calls that its handlers have had. */
  calls: number;
}

/** Starts an instance, which ends with the test. */
export async function startGreeter(
  handlers: GreeterHandlers = {},
  {
    port = 0,
    credentials = grpc.ServerCredentials.createInsecure(),
    options = {},
  }: { port?: number; credentials?: grpc.ServerCredentials; options?: grpc.ServerOptions } = {},
): Promise<GreeterInstance> {
  const server = new grpc.Server(options);
  const instance: { port: number; server: grpc.Server; calls: number } = { port: 0, server, calls: 0 };
  const all: Required<GreeterHandlers> = {
    greet: (call, told) => told(null, `hello ${call.request}`),
    read: (call, told) => told(null, `read ${call.request}`),
    count(call) {
      for (let number = 1; number <= Number(call.request); number++) call.write(String(number));
      call.end();
    },
    collect(call, told) {
      const all: string[] = [];
      call.on("data", (each: string) => all.push(each));
      call.on("end", () => told(null, all.join(" ")));
    },
    talk(call) {
      call.on("data", (each: string) => call.write(each.toUpperCase()));
      call.on("end", () => call.end());
    },
    ...handlers,
  };
  const counted = Object.entries(all).map(([name, handle]) => [
    name.charAt(0).toUpperCase() + name.slice(1),
    (...given: unknown[]) => {
      instance.calls++;
      (handle as (...given: unknown[]) => void)(...given);
    },
  ]);
  server.addService(greeter as unknown as grpc.ServiceDefinition, Object.fromEntries(counted) as grpc.UntypedServiceImplementation);
  instance.port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) => (error === null ? resolve(bound) : reject(error))),
  );
  onTestFinished(() => server.forceShutdown());
  return instance;
}

/** The end of one call: its answer, or its error. */
export function greet(
  client: GreeterClient,
  request: string,
  options: grpc.CallOptions = {},
  { method = "greet", metadata = new grpc.Metadata() }: { method?: "greet" | "read"; metadata?: grpc.Metadata } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    client[method](request, metadata, options, (error, answer) => (error === null ? resolve(answer) : reject(error)));
  });
}

/** The error of a call. */
export async function errorOf(call: Promise<unknown>): Promise<grpc.ServiceError> {
  const ended = await call.then(
    () => undefined,
    (error: grpc.ServiceError) => error,
  );
  if (ended === undefined) throw new Error("the call has succeeded");
  return ended;
}

/** All messages of a stream; rejects with its error. */
export async function messagesOf(stream: AsyncIterable<string>): Promise<string[]> {
  const messages: string[] = [];
  for await (const message of stream) messages.push(message);
  return messages;
}

export { sleep };
