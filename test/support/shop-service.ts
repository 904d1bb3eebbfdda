import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { onTestFinished } from "vitest";

/** An order as the generated client of `shop.proto` has it. */
export interface Order {
  readonly id: string;
  readonly count: number;
  readonly notes: readonly string[];
}

/** The handlers of the service, of which a test gives those that it needs. */
export interface OrdersHandlers {
  readonly Get?: grpc.handleUnaryCall<{ id: string }, Partial<Order>>;
  readonly Place?: grpc.handleUnaryCall<Order, Partial<Order>>;
  readonly List?: grpc.handleServerStreamingCall<{ id: string }, Partial<Order>>;
  readonly Add?: grpc.handleClientStreamingCall<Order, { orders: number }>;
  readonly Chat?: grpc.handleBidiStreamingCall<Order, Partial<Order>>;
}

type UnaryCallback<Answer> = (error: grpc.ServiceError | null, answer?: Answer) => void;

/** The generated client, as far as tests call it. */
export interface OrdersClient extends grpc.Client {
  Get(request: { id: string }, metadata: grpc.Metadata, options: grpc.CallOptions, done: UnaryCallback<Order>): grpc.ClientUnaryCall;
  Place(request: Partial<Order>, metadata: grpc.Metadata, options: grpc.CallOptions, done: UnaryCallback<Order>): grpc.ClientUnaryCall;
  List(request: { id: string }, metadata?: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<Order>;
  Add(done: UnaryCallback<{ orders: number }>): grpc.ClientWritableStream<Partial<Order>>;
  Chat(metadata?: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<Partial<Order>, Order>;
}

/** The definition of `shop.proto`, for servers, clients and reflection. */
export const shopPackage = loadSync(fileURLToPath(new URL("shop.proto", import.meta.url)), { keepCase: true, defaults: true });
const loaded = grpc.loadPackageDefinition(shopPackage) as unknown as {
  readonly shop: { readonly v1: { readonly Orders: grpc.ServiceClientConstructor } };
};

/** The service and its client. */
export const { Orders } = loaded.shop.v1;

/** A server of grpc-js with the service, bound to a port of its own. */
export async function boundServer(
  handlers: OrdersHandlers,
  { address = "127.0.0.1:0", ...options }: grpc.ServerOptions & { readonly address?: string } = {},
  credentials: grpc.ServerCredentials = grpc.ServerCredentials.createInsecure(),
): Promise<{ readonly server: grpc.Server; readonly port: number }> {
  const server = new grpc.Server(options);
  server.addService(Orders.service, handlers as grpc.UntypedServiceImplementation);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(address, credentials, (error, bound) => (error === null ? resolve(bound) : reject(error))),
  );
  onTestFinished(() => server.forceShutdown());
  return { server, port };
}

/** A client of the service, which closes with the test. */
export function ordersClient(
  port: number,
  credentials: grpc.ChannelCredentials = grpc.credentials.createInsecure(),
  options: grpc.ClientOptions = {},
): OrdersClient {
  const client = new Orders(`127.0.0.1:${port}`, credentials, {
    "grpc.use_local_subchannel_pool": 1,
    ...options,
  }) as unknown as OrdersClient;
  onTestFinished(() => client.close());
  return client;
}

/** The end of a call: its answer or its error, its head and its trailers. */
export interface Ended<Answer> {
  readonly answer: Answer | undefined;
  readonly error: grpc.ServiceError | undefined;
  readonly head: grpc.Metadata | undefined;
  readonly trailers: grpc.Metadata | undefined;
}

/** Calls `Get`, and resolves at its end. */
export function get(
  client: OrdersClient,
  { id = "1", metadata = {}, ...options }: { id?: string; metadata?: Record<string, string> } & grpc.CallOptions = {},
): Promise<Ended<Order>> {
  return new Promise((resolve) => {
    const given = new grpc.Metadata();
    for (const [name, value] of Object.entries(metadata)) given.set(name, value);
    let head: grpc.Metadata | undefined;
    let ended: Pick<Ended<Order>, "answer" | "error"> = { answer: undefined, error: undefined };
    const call = client.Get({ id }, given, options, (error, answer) => {
      ended = { answer, error: error ?? undefined };
    });
    call.once("metadata", (received: grpc.Metadata) => (head = received));
    call.once("status", ({ metadata: trailers }: grpc.StatusObject) => setImmediate(() => resolve({ ...ended, head, trailers })));
  });
}
