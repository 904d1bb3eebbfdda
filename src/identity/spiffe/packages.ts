import { type GrpcPackage, loadGrpc, loadPeer } from "./streams/grpc-package.ts";

/** The packages by which an agent is asked: loaded where one is first asked, since both are optional. */
export interface Packages {
  readonly grpc: GrpcPackage;
  readonly protocol: typeof import("./messages/protocol.ts");
}

let loading: Promise<Packages> | undefined;

/**
 * Loads the packages, once.
 * @throws Error that says what to install when one is missing or of another shape.
 */
export function loadPackages(): Promise<Packages> {
  loading ??= load().catch((error: unknown) => {
    // What is installed meanwhile is found by the next one.
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(): Promise<Packages> {
  const grpc = await loadGrpc();
  await loadPeer(
    "@bufbuild/protobuf",
    "^2.17.0",
    () => import("@bufbuild/protobuf"),
    ({ fromBinary }) => typeof fromBinary === "function",
  );
  return { grpc, protocol: await import("./messages/protocol.ts") };
}
