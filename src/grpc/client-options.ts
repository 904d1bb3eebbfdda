import type { ChannelCredentials, ChannelInterface, Client, ClientOptions } from "@grpc/grpc-js";
import { requestHeaders } from "../core/http/request-headers.ts";
import { checkFlag, checkKeys, checkObject, checkText, refuseOption } from "../core/settings/checks.ts";
import { doorOf, type MeshDoor } from "../core/stages/mesh-door.ts";
import { quoted } from "../core/text/clean-text.ts";
import { parseTarget } from "../fetch/target.ts";
import type { ChannelParts, GrpcCallCredentials } from "./calls/call-parts.ts";
import { MeshChannel } from "./channel.ts";
import { channelSettings } from "./channel-options.ts";
import { Connectivity } from "./connectivity.ts";
import { idempotentPaths, type MethodsOf } from "./idempotent-paths.ts";
import { foundVersion, type GrpcPackage, loadGrpc } from "./load-grpc.ts";
import { Methods } from "./methods.ts";

/** How the calls of a client go through a mesh. */
export interface GrpcOptions {
  /**
   * Services whose definitions say which methods may be executed twice (`idempotency_level`): the `service` of a generated client, a definition of
   * `@grpc/proto-loader`, or a descriptor of `@bufbuild/protobuf`. @default none, or that of the class for {@link meshClient}
   */
  readonly methods?: MethodsOf | readonly MethodsOf[];
  /** The paths of methods that may be executed twice, for definitions that do not say it: `["/shop.v1.Carts/Read"]`. @default [] */
  readonly idempotent?: readonly string[];
  /** The name of the metadata whose value is the hash key of a call, for the pickers `ringHash` and `maglev`. @default none */
  readonly hashKeyFrom?: string;
  /** `true`: calls go over TLS or not at all. @default by the option `peer` of the service */
  readonly requireTls?: boolean;
  /** Credentials that add metadata to each call, such as a token. With them, and with those of one call, calls go over TLS or not at all. @default none */
  readonly callCredentials?: GrpcCallCredentials;
}

/** The class of a generated client. */
export interface ClientClass<Made extends Client> {
  new (address: string, credentials: ChannelCredentials, options?: Partial<ClientOptions>): Made;
  readonly service?: MethodsOf;
}

/** A mesh, as far as clients use it. */
interface MeshOfClients {
  warm(service: string): Promise<number>;
}

const optionNames = ["methods", "idempotent", "hashKeyFrom", "requireTls", "callCredentials"] as const;
const scheme = "inmesh:///";

/**
 * The options by which a client of `@grpc/grpc-js` makes its calls through a mesh: the third argument of its class, behind `"inmesh:///carts"` and `credentials.createInsecure()`.
 * The service is the one that the target names; connections, their TLS and the identity that they show are those of the mesh. Options of `@grpc/grpc-js` may stand
 * beside them, such as `interceptors` and `grpc.max_receive_message_length`.
 * @throws TypeError for a wrong option, and for an object that is no mesh.
 */
export function clientOptions(mesh: object, options: GrpcOptions = {}): Partial<ClientOptions> {
  const door = typeof mesh === "object" && mesh !== null ? doorOf(mesh) : undefined;
  if (door === undefined) refuseOption("clientOptions: mesh", mesh, "a mesh that createMesh has made");
  checkOptions(options);
  const grpc = loadGrpc();
  return {
    channelFactoryOverride: (address, credentials, others) =>
      channelOf({ door, mesh: mesh as MeshOfClients, grpc, options }, address, credentials, others as Readonly<Record<string, unknown>>),
    callInvocationTransformer(properties) {
      const { channel } = properties;
      if (channel instanceof MeshChannel) (properties as { channel: ChannelInterface }).channel = channel.forCall(properties);
      return properties;
    },
  };
}

/**
 * A client of a generated class whose calls go through a mesh, to the service of that name. Its methods that may be executed twice are known by its definition.
 * @throws TypeError for a wrong option or name, and for an object that is no mesh.
 */
export function meshClient<Made extends Client>(
  mesh: object,
  Class: ClientClass<Made>,
  service: string,
  { methods = Class?.service ?? [], ...options }: GrpcOptions & Partial<ClientOptions> = {},
): Made {
  if (typeof Class !== "function") refuseOption("meshClient: client", Class, "the class of a client");
  if (typeof service !== "string") refuseOption("meshClient: service", service, "the name of a service");
  const own: Record<string, unknown> = { methods };
  const others: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) ((optionNames as readonly string[]).includes(name) ? own : others)[name] = value;
  const target = service.startsWith(scheme) ? service : `${scheme}${service}`;
  return new Class(target, loadGrpc().credentials.createInsecure(), { ...others, ...clientOptions(mesh, own as GrpcOptions) });
}

function checkOptions(options: GrpcOptions): void {
  checkObject("clientOptions", options);
  checkKeys("clientOptions", options, optionNames);
  const { idempotent, hashKeyFrom, requireTls, callCredentials } = options;
  if (
    idempotent !== undefined &&
    !(Array.isArray(idempotent) && idempotent.every((path) => typeof path === "string" && path.startsWith("/")))
  )
    refuseOption("clientOptions: idempotent", idempotent, 'an array of paths such as ["/shop.v1.Carts/Read"]');
  checkText("clientOptions: hashKeyFrom", hashKeyFrom);
  checkFlag("clientOptions: requireTls", requireTls);
  if (callCredentials !== undefined && typeof callCredentials.generateMetadata !== "function")
    throw new TypeError(
      "clientOptions: callCredentials must be credentials of calls, such as credentials.createFromMetadataGenerator makes",
    );
}

interface Given {
  readonly door: MeshDoor;
  readonly mesh: MeshOfClients;
  readonly grpc: GrpcPackage;
  readonly options: GrpcOptions;
}

function channelOf(
  { door, mesh, grpc, options }: Given,
  target: string,
  credentials: ChannelCredentials,
  others: Readonly<Record<string, unknown>>,
): MeshChannel {
  const service = serviceOf(target);
  // They would bring authorities and keys of their own, and the mesh would not obey them.
  if (credentials?._isSecure?.() !== false) {
    throw new TypeError(
      `a client of ${quoted(target)} needs credentials.createInsecure(): whether its connections are secure, by which authorities and with which identity, is said by the options \`peer\`, \`tls\` and \`identity\` of the mesh; \`requireTls\` makes TLS a must, and \`callCredentials\` adds metadata`,
    );
  }
  const settings = channelSettings(others, foundVersion());
  const { methods = [], idempotent = [], hashKeyFrom, requireTls = false, callCredentials } = options;
  const isCompressed = settings.compression !== "identity";
  const parts: ChannelParts = {
    service,
    target,
    door,
    grpc,
    settings,
    headers: requestHeaders({
      "content-type": "application/grpc",
      "user-agent": settings.userAgent,
      "grpc-accept-encoding": "identity,deflate,gzip",
      ...(isCompressed && { "grpc-encoding": settings.compression }),
    }),
    requiresTls: requireTls,
    credentials: callCredentials,
    hashKeyFrom: hashKeyFrom?.toLowerCase(),
    connectivity: new Connectivity(grpc.connectivityState, () => mesh.warm(service)),
  };
  (parts.headers as Record<string, string>)["te"] = "trailers";
  const twice = new Set([...idempotentPaths("clientOptions: methods", methods), ...idempotent]);
  return new MeshChannel(parts, new Methods(twice, settings.maxReceiveBytes));
}

/**
 * The service that a target names.
 * @throws TypeError for a target of another form.
 */
function serviceOf(target: unknown): string {
  const name = typeof target === "string" && target.startsWith(scheme) ? target.slice(scheme.length) : undefined;
  if (name === undefined || name.includes("/"))
    throw new TypeError(
      `the target of a client through a mesh is ${scheme} and the name of a service, such as "${scheme}carts", not ${quoted(target)}`,
    );
  return parseTarget(name).service;
}
