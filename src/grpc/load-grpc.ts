import type * as Grpc from "@grpc/grpc-js";
import { quoted } from "../core/text/clean-text.ts";
import { load as loadPackage, version as versionOfPackage } from "./grpc-package.cjs";

/** The part of the package that is used. */
export type GrpcPackage = Pick<typeof Grpc, "Client" | "Metadata" | "credentials" | "status" | "connectivityState" | "propagate">;

/** How the package is had. */
export interface GrpcLoader {
  load(): unknown;
  version(): unknown;
}

const own: GrpcLoader = { load: loadPackage, version: versionOfPackage };
const wanted = "~1.14.0";
const install = `npm install @grpc/grpc-js@${wanted}`;

/**
 * Loads `@grpc/grpc-js`, an optional peer dependency, and looks at all that calls need of it: a client takes its channel from the options, and lets a
 * transformer put another one into each call.
 * @throws Error that says what to install when the package is missing or of another shape, with the version that was found.
 */
export function loadGrpc(loader: GrpcLoader = own): GrpcPackage {
  let loaded: unknown;
  try {
    loaded = loader.load();
  } catch (error) {
    if ((error as { code?: unknown }).code !== "MODULE_NOT_FOUND") throw error;
    throw new Error(`inmesh/grpc needs the package "@grpc/grpc-js": ${install}`, { cause: error });
  }
  const missing = missingIn(loaded);
  if (missing === undefined) return loaded as GrpcPackage;
  throw new Error(
    `inmesh/grpc needs version ${wanted} of "@grpc/grpc-js", and found ${foundVersion(loader)}, which has no ${missing}: ${install}`,
  );
}

/** The version of the package; "one without a version" where its manifest tells none. */
export function foundVersion(loader: GrpcLoader = own): string {
  try {
    const version = loader.version();
    return typeof version === "string" ? cleanVersion(version) : "one without a version";
  } catch {
    return "one without a version";
  }
}

function cleanVersion(version: string): string {
  return /^[\w.+-]{1,40}$/.test(version) ? version : quoted(version);
}

/** The first part that is missing, or of another shape; `undefined` where all are there. */
function missingIn(loaded: unknown): string | undefined {
  if (typeof loaded !== "object" || loaded === null) return "exports";
  const { Client, Metadata, credentials, status, connectivityState, propagate } = loaded as Partial<GrpcPackage>;
  if (typeof Client !== "function") return "Client";
  if (typeof Metadata !== "function") return "Metadata";
  for (const name of ["add", "remove", "toHttp2Headers", "getOptions", "merge"] as const)
    if (typeof Metadata.prototype[name] !== "function") return `Metadata.${name}`;
  if (typeof credentials?.createInsecure !== "function") return "credentials.createInsecure";
  if (status?.UNAVAILABLE !== 14) return "status.UNAVAILABLE";
  if (connectivityState?.SHUTDOWN !== 4) return "connectivityState.SHUTDOWN";
  if (propagate?.DEADLINE !== 1) return "propagate.DEADLINE";
  return takesChannels(Client, credentials) ? undefined : "`channelFactoryOverride` that a Client obeys";
}

/** Whether a client takes the channel that its options make, which is the only way for calls into the mesh. */
function takesChannels(Client: GrpcPackage["Client"], credentials: GrpcPackage["credentials"]): boolean {
  const channel = {} as Grpc.ChannelInterface;
  try {
    const client = new Client("inmesh:///probe", credentials.createInsecure(), { channelFactoryOverride: () => channel });
    return client.getChannel() === channel;
  } catch {
    return false;
  }
}
