import { UsageError } from "../usage-error.ts";

/** Begins the targets of calls of gRPC. */
export const rpcScheme = "grpc://";

/** A call of gRPC, as the command line names it. */
export interface RpcTarget {
  /** The service of the mesh. */
  readonly service: string;
  /** The service of the interface definition: `shop.v1.Orders`. */
  readonly type: string;
  readonly method: string;
}

const form = /^([^/?#]+)\/([A-Za-z_][\w.]*)\/([A-Za-z_]\w*)$/;

/** @throws UsageError for a text that names no method. */
export function rpcTargetOf(text: string): RpcTarget {
  const [, service, type, method] = form.exec(text.slice(rpcScheme.length)) ?? [];
  if (service === undefined || type === undefined || method === undefined)
    throw new UsageError(
      `${JSON.stringify(text)} names no method: grpc://SERVICE/package.Service/Method, such as grpc://orders/shop.v1.Orders/Get`,
    );
  return { service, type, method };
}
