import type * as Grpc from "@grpc/grpc-js";

/** The part of the package that is used. */
export type GrpcPackage = Pick<typeof Grpc, "Client" | "Metadata" | "credentials">;
/** A channel to one address, by which calls are made. */
export type GrpcClient = Grpc.Client;
/** The headers of a call. */
export type GrpcMetadata = Grpc.Metadata;

/** Loads a package that is an optional peer dependency. */
export async function loadPeer<Package>(
  name: string,
  version: string,
  load: () => Promise<Package>,
  isIt: (loaded: Package) => boolean,
): Promise<Package> {
  let loaded: Package;
  try {
    loaded = await load();
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new Error(`inmesh/spiffe needs the package "${name}": npm install ${name}@${version}`, { cause: error });
  }
  if (!isIt(loaded)) throw new Error(`inmesh/spiffe needs version ${version} of "${name}": npm install ${name}@${version}`);
  return loaded;
}

/**
 * Loads `@grpc/grpc-js`, where it is first used.
 * @throws Error that says what to install when the package is missing or of another shape.
 */
export function loadGrpc(load: () => Promise<GrpcPackage> = () => import("@grpc/grpc-js")): Promise<GrpcPackage> {
  return loadPeer("@grpc/grpc-js", "~1.14.0", load, isGrpc);
}

function isGrpc({ Client, Metadata, credentials }: Partial<GrpcPackage>): boolean {
  const { makeServerStreamRequest, makeBidiStreamRequest, makeUnaryRequest } = Client?.prototype ?? {};
  return [makeServerStreamRequest, makeBidiStreamRequest, makeUnaryRequest, Metadata, credentials?.createInsecure].every(
    (each) => typeof each === "function",
  );
}
