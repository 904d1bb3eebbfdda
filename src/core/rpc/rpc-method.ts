/** A method of a service of an interface definition. */
export interface RpcMethod {
  /** With its package: `shop.v1.Carts`. */
  readonly service: string;
  readonly method: string;
}

const path = /^(?:\/[^?#]*)?\/([A-Za-z_][\w.]*)\/([A-Za-z_]\w*)(?:\?|$)/;

/** The method that a path such as `/shop.v1.Carts/Add` names in its last two parts; `undefined` for a path that names none. */
export function rpcMethodOf(given: string): RpcMethod | undefined {
  const found = path.exec(given);
  return found === null ? undefined : { service: found[1] as string, method: found[2] as string };
}

/** The name of a method in traces and metrics: `shop.v1.Carts/Add`. */
export function fullNameOf({ service, method }: RpcMethod): string {
  return `${service}/${method}`;
}
