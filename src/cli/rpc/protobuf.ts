import { UsageError } from "../usage-error.ts";

/** The parts of `@bufbuild/protobuf` that messages by descriptors need. */
export type Protobuf = Awaited<ReturnType<typeof load>>;

async function load() {
  const [{ create, createFileRegistry, fromBinary, fromJson, toBinary, toJson }, wire, wkt] = await Promise.all([
    import("@bufbuild/protobuf"),
    import("@bufbuild/protobuf/wire"),
    import("@bufbuild/protobuf/wkt"),
  ]);
  const { FileDescriptorProtoSchema, FileDescriptorSetSchema } = wkt;
  return { create, createFileRegistry, fromBinary, fromJson, toBinary, toJson, wire, FileDescriptorProtoSchema, FileDescriptorSetSchema };
}

/**
 * Loads the package, which only calls of gRPC need.
 * @throws UsageError saying how it is installed.
 */
export async function loadProtobuf(): Promise<Protobuf> {
  try {
    return await load();
  } catch (error) {
    throw new UsageError("calls of gRPC need the package @bufbuild/protobuf: npm install @bufbuild/protobuf", { cause: error });
  }
}
