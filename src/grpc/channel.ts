import type { ChannelInterface } from "@grpc/grpc-js";
import { MeshCall } from "./calls/call.ts";
import type { ChannelParts, GrpcCall, MethodParts } from "./calls/call-parts.ts";
import type { GivenCall, Methods } from "./methods.ts";

/** Numbers the calls of this process. */
let calls = 0;

/** A service of a mesh in the place of a channel: calls of a client are requests through the mesh, which has the connections. */
export class MeshChannel implements ChannelInterface {
  readonly #parts: ChannelParts;
  readonly #methods: Methods;
  /** The method of all calls, of which more is known than `createCall` is told; `undefined` in the channel of a client. */
  readonly #method: MethodParts | undefined;
  readonly #byMethod = new Map<MethodParts, MeshChannel>();

  constructor(parts: ChannelParts, methods: Methods, method?: MethodParts) {
    this.#parts = parts;
    this.#methods = methods;
    this.#method = method;
  }

  /** The channel for one call. */
  forCall(call: GivenCall): MeshChannel {
    const method = this.#methods.of(call);
    const known = this.#byMethod.get(method);
    if (known !== undefined) return known;
    const channel = new MeshChannel(this.#parts, this.#methods, method);
    if (this.#methods.isKept(method)) this.#byMethod.set(method, channel);
    return channel;
  }

  createCall(...[path, deadline, host, parent, propagate]: Parameters<ChannelInterface["createCall"]>): GrpcCall {
    // Without a definition it may be any kind of call.
    const method = this.#method ?? this.#methods.of({ methodDefinition: { path, requestStream: true, responseStream: true } });
    return new MeshCall(this.#parts, method, ++calls, { deadline, host, parent, propagate });
  }

  /** Takes no more calls; those that are open go on to their end. */
  close(): void {
    this.#parts.connectivity.close();
  }

  getTarget(): string {
    return this.#parts.target;
  }

  getConnectivityState(tryToConnect: boolean): ReturnType<ChannelInterface["getConnectivityState"]> {
    return this.#parts.connectivity.now(tryToConnect);
  }

  watchConnectivityState(...[state, deadline, told]: Parameters<ChannelInterface["watchConnectivityState"]>): void {
    this.#parts.connectivity.watch(state, deadline, told);
  }

  getChannelzRef(): ReturnType<ChannelInterface["getChannelzRef"]> {
    return { kind: "channel", id: 0, name: this.#parts.target } as ReturnType<ChannelInterface["getChannelzRef"]>;
  }
}
