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
  /** Sends a request; `handler` is a `DispatchHandler` of either version. */
  dispatch(options: Wider<Dispatcher.DispatchOptions>, handler: object): boolean;
  compose(...interceptors: readonly (Interceptor | readonly Interceptor[])[]): AnyDispatcher;
  connect<Opaque = null>(options: Wider<Dispatcher.ConnectOptions<Opaque>>): Promise<Dispatcher.ConnectData<Opaque>>;
  connect<Opaque = null>(options: Wider<Dispatcher.ConnectOptions<Opaque>>, callback: Callback<Dispatcher.ConnectData<Opaque>>): void;
  pipeline<Opaque = null>(options: Wider<Dispatcher.PipelineOptions<Opaque>>, handler: Dispatcher.PipelineHandler<Opaque>): Duplex;
  request<Opaque = null>(options: Wider<Dispatcher.RequestOptions<Opaque>>): Promise<Dispatcher.ResponseData<Opaque>>;
  request<Opaque = null>(options: Wider<Dispatcher.RequestOptions<Opaque>>, callback: Callback<Dispatcher.ResponseData<Opaque>>): void;
  stream<Opaque = null>(
    options: Wider<Dispatcher.RequestOptions<Opaque>>,
    factory: (data: Dispatcher.StreamFactoryData<Opaque>) => Writable,
  ): Promise<Dispatcher.StreamData<Opaque>>;
  stream<Opaque = null>(
    options: Wider<Dispatcher.RequestOptions<Opaque>>,
    factory: (data: Dispatcher.StreamFactoryData<Opaque>) => Writable,
    callback: Callback<Dispatcher.StreamData<Opaque>>,
  ): void;
  upgrade(options: Wider<Dispatcher.UpgradeOptions>): Promise<Dispatcher.UpgradeData>;
  upgrade(options: Wider<Dispatcher.UpgradeOptions>, callback: Callback<Dispatcher.UpgradeData>): void;
  close(): Promise<void>;
  close(callback: () => void): void;
  destroy(): Promise<void>;
  destroy(error: Error | null): Promise<void>;
  destroy(callback: () => void): void;
  destroy(error: Error | null, callback: () => void): void;
  // The mesh tells of connections through observers: undici's events, whose listeners each version types otherwise, never come.
  listeners(event: string | symbol): never[];
  rawListeners(event: string | symbol): never[];
}
