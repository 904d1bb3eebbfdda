import { Cancellation } from "./cancellation.ts";
import type { CallOptions, MeshRequest } from "./dispatch.ts";
import type { RequestBody } from "./http/body.ts";
import type { RequestHeaders } from "./http/request-headers.ts";

/** What a new request cannot do without, and what it may have. */
export interface RequestParts {
  readonly service: string;
  readonly method: string;
  readonly path: string;
  readonly headers: RequestHeaders;
  readonly body: RequestBody;
  readonly options?: CallOptions | undefined;
  readonly cancellation?: Cancellation;
}

/** Options of a call that has none; one object, so that requests share their shape. */
const noOptions: CallOptions = Object.freeze({});

/** A request as the top of the pipeline gets it. */
export function meshRequest({
  service,
  method,
  path,
  headers,
  body,
  options = noOptions,
  cancellation = new Cancellation(),
}: RequestParts): MeshRequest {
  return {
    service,
    method,
    path,
    headers,
    body,
    options,
    cancellation,
    call: undefined,
    route: options.route,
    deadline: Number.POSITIVE_INFINITY,
    attempt: 1,
    tried: emptyArray(),
    attempts: emptyArray(),
    upstream: undefined,
    observation: undefined,
  };
}

const anything: unknown = undefined;

/** Room for one element, as nearly every call needs: an array that begins empty makes room for 17 at its first. */
function emptyArray<Element>(): Element[] {
  const array: unknown[] = [anything];
  array.pop();
  return array as Element[];
}
