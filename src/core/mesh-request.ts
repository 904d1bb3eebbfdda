import { Cancellation } from "./cancellation.ts";
import type { CallOptions, MeshRequest, RpcCall } from "./dispatch.ts";
import type { RequestBody } from "./http/body.ts";
import type { RequestHeaders } from "./http/request-headers.ts";
import type { TransferListener } from "./http/transfer-listener.ts";
import { rpcCallOf } from "./rpc/rpc-call.ts";

/** The parts of a new request. */
export interface RequestParts {
  readonly service: string;
  readonly method: string;
  readonly path: string;
  readonly headers: RequestHeaders;
  readonly body: RequestBody;
  readonly options?: CallOptions | undefined;
  readonly cancellation?: Cancellation;
  readonly requiresTls?: boolean;
  readonly transfer?: TransferListener | undefined;
  /** @default by the content type */
  readonly rpc?: RpcCall | undefined;
}

/** The options of a call without any: one object, so that requests share their shape. */
const noOptions: CallOptions = Object.freeze({});

/** Makes a request for the top of the pipeline. */
export function meshRequest({
  service,
  method,
  path,
  headers,
  body,
  options = noOptions,
  cancellation = new Cancellation(),
  requiresTls = false,
  transfer,
  rpc = rpcCallOf(method, headers),
}: RequestParts): MeshRequest {
  return {
    service,
    method,
    path,
    requiresTls,
    headers,
    body,
    options,
    cancellation,
    call: undefined,
    route: options.route,
    routed: undefined,
    deadline: Number.POSITIVE_INFINITY,
    attempt: 1,
    tried: emptyArray(),
    attempts: emptyArray(),
    upstream: undefined,
    progress: undefined,
    decodes: false,
    transfer,
    observation: undefined,
    trace: undefined,
    rpc,
  };
}

const anything: unknown = undefined;

/** An array with room for one element, the need of nearly every call: one that begins empty makes room for 17 at its first element. */
function emptyArray<Element>(): Element[] {
  const array: unknown[] = [anything];
  array.pop();
  return array as Element[];
}
