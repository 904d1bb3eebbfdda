import type { DescMethod, FileRegistry } from "@bufbuild/protobuf";
import { nearestName } from "../../suggestions/nearest-name.ts";
import { suggestionOf } from "../registry/likely-name.ts";
import { UsageError } from "../usage-error.ts";
import type { RpcTarget } from "./rpc-target.ts";

/**
 * The method of a target among those that descriptors define.
 * @throws UsageError with the name that was probably meant.
 */
export function findMethod(registry: FileRegistry, { type, method }: RpcTarget): DescMethod {
  const service = registry.getService(type);
  if (service === undefined)
    throw unknownService(
      type,
      [...registry].flatMap((each) => (each.kind === "service" ? [each.typeName] : [])),
    );
  const found = service.methods.find(({ name }) => name === method);
  if (found !== undefined) return found;
  const names = service.methods.map(({ name }) => name);
  throw new UsageError(`${type} has no method ${method}${suggestionOf(nearestName(method, names))}; it has ${names.join(", ")}`);
}

/** The error for a service that nothing defines. */
export function unknownService(type: string, names: readonly string[]): UsageError {
  const known = names.length === 0 ? "" : `; there ${names.length === 1 ? "is" : "are"} ${names.join(", ")}`;
  return new UsageError(`there is no service ${type}${suggestionOf(nearestName(type, names))}${known}`);
}
