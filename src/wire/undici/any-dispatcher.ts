import type { EventEmitter } from "node:events";
import type { OutgoingHttpHeaders } from "node:http";
import type { Duplex, Writable } from "node:stream";
import type { Dispatcher } from "undici";

/** Options with the headers that undici takes from version 8 on as well. */
type Wider<Options extends { readonly headers?: unknown }> = Omit<Options, "headers"> & {
  readonly headers?: Options["headers"] | OutgoingHttpHeaders;
};
type Interceptor = (dispatch: never) => unknown;
type Callback<Data> = (error: Error | null, data: Data) => void;

/**
 * A `Dispatcher` for undici 7 and undici 8, whose types exclude each other: `setGlobalDispatcher` and the option `dispatcher` of either version
 * take it.
 */
export interface AnyDispatcher extends EventEmitter {
  /** The limits of a `WebSocket` over it. */
  readonly webSocketOptions: { readonly maxFragments: number; readonly maxPayloadSize: number };
  /** Sends a request; `handler` is a `DispatchHandler` of either version. */
  dispatch(options: Wider<Dispatcher.DispatchOptions>, handler: object): boolean;
  /** The dispatcher with interceptors around it. */
  compose(...interceptors: readonly (Interceptor | readonly Interceptor[])[]): AnyDispatcher;
  /** Refused: the mesh makes no tunnels. */
  connect<Opaque = null>(options: Wider<Dispatcher.ConnectOptions<Opaque>>): Promise<Dispatcher.ConnectData<Opaque>>;
  /** Refused: the mesh makes no tunnels. */
  connect<Opaque = null>(options: Wider<Dispatcher.ConnectOptions<Opaque>>, callback: Callback<Dispatcher.ConnectData<Opaque>>): void;
  /** As undici's `pipeline`. */
  pipeline<Opaque = null>(options: Wider<Dispatcher.PipelineOptions<Opaque>>, handler: Dispatcher.PipelineHandler<Opaque>): Duplex;
  /** As undici's `request`. */
  request<Opaque = null>(options: Wider<Dispatcher.RequestOptions<Opaque>>): Promise<Dispatcher.ResponseData<Opaque>>;
  /** As undici's `request`. */
  request<Opaque = null>(options: Wider<Dispatcher.RequestOptions<Opaque>>, callback: Callback<Dispatcher.ResponseData<Opaque>>): void;
  /** As undici's `stream`. */
  stream<Opaque = null>(
    options: Wider<Dispatcher.RequestOptions<Opaque>>,
    factory: (data: Dispatcher.StreamFactoryData<Opaque>) => Writable,
  ): Promise<Dispatcher.StreamData<Opaque>>;
  /** As undici's `stream`. */
  stream<Opaque = null>(
    options: Wider<Dispatcher.RequestOptions<Opaque>>,
    factory: (data: Dispatcher.StreamFactoryData<Opaque>) => Writable,
    callback: Callback<Dispatcher.StreamData<Opaque>>,
  ): void;
  /** As undici's `upgrade`. */
  upgrade(options: Wider<Dispatcher.UpgradeOptions>): Promise<Dispatcher.UpgradeData>;
  /** As undici's `upgrade`. */
  upgrade(options: Wider<Dispatcher.UpgradeOptions>, callback: Callback<Dispatcher.UpgradeData>): void;
  /** Waits for the requests in flight, and closes the mesh. */
  close(): Promise<void>;
  /** Waits for the requests in flight, and closes the mesh. */
  close(callback: () => void): void;
  /** Ends the requests in flight with the error, and closes the mesh. */
  destroy(): Promise<void>;
  /** Ends the requests in flight with the error, and closes the mesh. */
  destroy(error: Error | null): Promise<void>;
  /** Ends the requests in flight with the error, and closes the mesh. */
  destroy(callback: () => void): void;
  /** Ends the requests in flight with the error, and closes the mesh. */
  destroy(error: Error | null, callback: () => void): void;
  // The mesh tells of connections through observers: undici's events, whose listeners each version types otherwise, never come.
  /** None: undici's events never come. */
  listeners(event: string | symbol): never[];
  /** None: undici's events never come. */
  rawListeners(event: string | symbol): never[];
}
