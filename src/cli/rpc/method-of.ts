import type { DescMethod, FileRegistry } from "@bufbuild/protobuf";
import type { DescriptorProto } from "@bufbuild/protobuf/wkt";
import type { Mesh, MeshRequestInit } from "../../index.ts";
import { readNamedFile } from "../named-file.ts";
import { UsageError } from "../usage-error.ts";
import { findMethod, unknownService } from "./find-method.ts";
import type { Protobuf } from "./protobuf.ts";
import { NoReflection, Reflection, UnknownSymbol } from "./reflection.ts";
import type { RpcTarget } from "./rpc-target.ts";

/** Bytes of a file of descriptors. */
const maxFile = 64 * 1_048_576;

/** A method, and all types that its messages may have. */
export interface FoundMethod {
  readonly method: DescMethod;
  readonly registry: FileRegistry;
}

/**
 * The method in a file of descriptors.
 * @throws UsageError for a file that is none, and for a method that it does not define.
 */
export async function methodOfFile(
  { fromBinary, createFileRegistry, FileDescriptorSetSchema }: Protobuf,
  path: string,
  target: RpcTarget,
): Promise<FoundMethod> {
  const bytes = await readNamedFile(path, maxFile);
  let registry: FileRegistry;
  try {
    registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
  } catch (error) {
    throw new UsageError(
      `${path} is no set of descriptors with all imports, as "buf build -o FILE" and "protoc --include_imports --descriptor_set_out=FILE" write it: ${(error as Error).message}`,
    );
  }
  return { method: findMethod(registry, target), registry };
}

/**
 * The method as an instance describes it.
 * @throws UsageError for a method that it does not have, and where it has no reflection.
 */
export async function methodOfInstance(protobuf: Protobuf, mesh: Mesh, target: RpcTarget, init: MeshRequestInit): Promise<FoundMethod> {
  const reflection = new Reflection(protobuf, mesh, target.service, init);
  try {
    const files = await reflection.filesOf(target.type);
    const { createFileRegistry, fromBinary, FileDescriptorProtoSchema } = protobuf;
    const protos = files.map((each) => fromBinary(FileDescriptorProtoSchema, each));
    for (const { messageType } of protos) for (const each of messageType) nameForJson(each);
    const defines = protos.find((each) =>
      each.service.some(({ name }) => target.type === (each.package === "" ? name : `${each.package}.${name}`)),
    );
    if (defines === undefined) throw new UnknownSymbol(target.type);
    const registry = createFileRegistry(defines, (name) => protos.find((each) => each.name === name));
    return { method: findMethod(registry, target), registry };
  } catch (error) {
    if (error instanceof UnknownSymbol) throw unknownService(target.type, await reflection.services());
    if (!(error instanceof NoReflection)) throw error;
    throw new UsageError(
      `${target.service} has no reflection (grpc.reflection.v1), by which it would describe its messages: give their descriptors with --descriptors FILE, as "buf build -o FILE" or "protoc --include_imports --descriptor_set_out=FILE" writes them`,
    );
  }
}

/** Gives each field its name in JSON where its descriptor has an empty one, as those of npm's `@grpc/reflection` do. */
function nameForJson({ field, nestedType }: DescriptorProto): void {
  for (const each of field)
    if (each.jsonName === "")
      each.jsonName = each.name.replace(/_+(.)/g, (_whole, letter: string) => letter.toUpperCase()).replace(/_$/, "");
  for (const each of nestedType) nameForJson(each);
}
