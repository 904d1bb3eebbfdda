import { create, type DescMessage, type DescMethodStreaming, type DescMethodUnary, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type ContextValues,
  createContextValues,
  type StreamRequest,
  type StreamResponse,
  type Transport,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { maxTimerMs } from "../core/settings/checks.ts";
import { doorOf } from "../core/stages/mesh-door.ts";
import { parseTarget } from "../fetch/target.ts";
import type { Mesh } from "../mesh/mesh.ts";
import { Calls } from "./calls.ts";
import { type MeshTransportOptions, type TransportSettings, transportSettings } from "./transport-options.ts";
import { errorOfFailure } from "./wire-error.ts";

/**
 * A `Transport` of Connect over a mesh: its clients call the service `target` (`orders`, `orders/prefix`, `https://orders`) by gRPC, gRPC-Web or Connect, and
 * every layer of the mesh sees each attempt and its status. Methods that may be executed twice by their definition are sent again after a failure, all others
 * only where certainly no instance has executed them. Errors are `ConnectError`s, whose `cause` is the `MeshError` where the mesh has one.
 * @throws TypeError, RangeError or MeshError (`ERR_MESH_INVALID_TARGET`) that names the option, or the fault of the target.
 */
export function meshTransport(mesh: Mesh, target: string, options: MeshTransportOptions = {}): Transport {
  const settings = transportSettings(options);
  const door = doorOf(mesh);
  if (door === undefined) throw new TypeError("meshTransport: the first argument is no mesh of createMesh");
  const { service, path, requiresTls } = parseTarget(target);
  const prefix = path.replace(/\/$/, "");
  return new MeshTransport(new Calls({ door, service, prefix, requiresTls }, settings), settings, `http://${service}${prefix}`);
}

type GivenHeaders = Parameters<Transport["unary"]>[3];
type Sent = UnaryRequest | StreamRequest;
type Answered = UnaryResponse | StreamResponse;

class MeshTransport implements Transport {
  readonly #calls: Calls;
  readonly #settings: TransportSettings;
  /** The URL that interceptors see, up to the path of the method. */
  readonly #baseUrl: string;

  constructor(calls: Calls, settings: TransportSettings, baseUrl: string) {
    this.#calls = calls;
    this.#settings = settings;
    this.#baseUrl = baseUrl;
  }

  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: GivenHeaders,
    input: MessageInitShape<I>,
    contextValues?: ContextValues,
  ): Promise<UnaryResponse<I, O>> {
    const limitMs = this.#limit(timeoutMs);
    const common = { stream: false, service: method.parent, method, requestMethod: "POST", message: create(method.input, input) } as const;
    if (this.#settings.interceptors.length === 0) {
      const metadata = header === undefined ? undefined : new Headers(header);
      return this.#calls.unary({ request: common as unknown as UnaryRequest<I, O>, timeoutMs: limitMs, signal, metadata });
    }
    const request = this.#shown(common, signal, header, contextValues) as unknown as UnaryRequest<I, O>;
    return this.#intercepted(request as Sent, (sent) =>
      this.#calls.unary({ request: sent as UnaryRequest<I, O>, timeoutMs: limitMs, signal: sent.signal, metadata: sent.header }),
    ) as Promise<UnaryResponse<I, O>>;
  }

  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodStreaming<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: GivenHeaders,
    input: AsyncIterable<MessageInitShape<I>>,
    contextValues?: ContextValues,
  ): Promise<StreamResponse<I, O>> {
    const limitMs = this.#limit(timeoutMs);
    const common = { stream: true, service: method.parent, method, requestMethod: "POST", message: input } as const;
    const request = this.#shown(common, signal, header, contextValues) as unknown as StreamRequest<I, O>;
    const call = (sent: Sent) =>
      this.#calls.stream({
        request: sent as StreamRequest<I, O>,
        timeoutMs: limitMs,
        signal: signal && sent.signal,
        metadata: sent.header,
      });
    if (this.#settings.interceptors.length === 0) return call(request as Sent);
    return this.#intercepted(request as Sent, call) as Promise<StreamResponse<I, O>>;
  }

  /** The limit of a call: 0 and less is none, as in the transports of Connect. */
  #limit(timeoutMs: number | undefined): number | undefined {
    if (timeoutMs === undefined) return this.#settings.defaultTimeoutMs;
    return timeoutMs > 0 ? Math.min(timeoutMs, maxTimerMs) : undefined;
  }

  /** A request as interceptors see it. */
  #shown<Common extends Pick<Sent, "service" | "method">>(
    common: Common,
    signal: AbortSignal | undefined,
    header: GivenHeaders,
    contextValues: ContextValues | undefined,
  ) {
    return {
      ...common,
      url: `${this.#baseUrl}/${common.service.typeName}/${common.method.name}`,
      signal: signal ?? new AbortController().signal,
      header: new Headers(header),
      contextValues: contextValues ?? createContextValues(),
    };
  }

  async #intercepted(request: Sent, call: (sent: Sent) => Promise<unknown>): Promise<unknown> {
    let next = call as (sent: Sent) => Promise<Answered>;
    for (const interceptor of this.#settings.interceptors.toReversed()) next = interceptor(next);
    try {
      return await next(request);
    } catch (thrown) {
      throw errorOfFailure(thrown);
    }
  }
}
