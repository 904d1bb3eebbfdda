import { refuseOption } from "../core/settings/checks.ts";
import { mayBeRepeated } from "../rpc/idempotency.ts";

/** A method as definitions of `@grpc/grpc-js` have it; `options` as `@grpc/proto-loader` reads them. */
interface DefinedMethod {
  readonly path?: unknown;
  readonly options?: { readonly idempotency_level?: unknown } | undefined;
}

/** A method as descriptors of `@bufbuild/protobuf` have it. */
interface DescribedMethod {
  readonly name?: unknown;
  readonly idempotency?: unknown;
}

/**
 * Services with their methods: the `service` of a generated client, a definition of `@grpc/proto-loader`, or a descriptor of `@bufbuild/protobuf`. Methods that it
 * calls `NO_SIDE_EFFECTS` or `IDEMPOTENT` are repeated after failures.
 */
export type MethodsOf = object;

/** The paths of the methods that may be executed twice. */
export function idempotentPaths(option: string, given: MethodsOf | readonly MethodsOf[]): ReadonlySet<string> {
  const paths = new Set<string>();
  for (const service of Array.isArray(given) ? given : [given]) addPaths(option, service, paths);
  return paths;
}

function addPaths(option: string, service: unknown, paths: Set<string>): void {
  if (typeof service !== "object" || service === null)
    refuseOption(option, service, "the `service` of a client, or a descriptor of a service");
  const { typeName, methods } = service as { readonly typeName?: unknown; readonly methods?: unknown };
  if (typeof typeName === "string" && Array.isArray(methods)) {
    for (const { name, idempotency } of methods as readonly DescribedMethod[])
      if (mayBeExecutedTwice(idempotency)) paths.add(`/${typeName}/${String(name)}`);
    return;
  }
  for (const method of Object.values(service) as readonly DefinedMethod[]) {
    if (typeof method?.path !== "string") refuseOption(option, method, "a service whose methods have a `path`");
    if (mayBeExecutedTwice(method.options?.idempotency_level)) paths.add(method.path);
  }
}

/** The level by its name, or by its number in the options of methods of Protocol Buffers. */
function mayBeExecutedTwice(level: unknown): boolean {
  return level === "NO_SIDE_EFFECTS" || level === "IDEMPOTENT" || (typeof level === "number" && mayBeRepeated(level));
}
