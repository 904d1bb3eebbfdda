import type { ChannelInterface } from "@grpc/grpc-js";
import type { CallOptions, RpcCall } from "../../core/dispatch.ts";
import type { RequestHeaders } from "../../core/http/request-headers.ts";
import type { MeshDoor } from "../../core/stages/mesh-door.ts";
import type { ChannelSettings } from "../channel-options.ts";
import type { Connectivity } from "../connectivity.ts";
import type { GrpcPackage } from "../load-grpc.ts";

/** A call as `@grpc/grpc-js` makes it of a channel. */
export type GrpcCall = ReturnType<ChannelInterface["createCall"]>;
/** A listener of what comes back. */
export type GrpcListener = Parameters<GrpcCall["start"]>[1];
/** The place and time of a message on its way out. */
export type MessageContext = Parameters<GrpcCall["sendMessageWithContext"]>[0];
/** Credentials that add metadata to each call, such as tokens. */
export type GrpcCallCredentials = Parameters<GrpcCall["setCredentials"]>[0];
/** A call of a server, for which another one is made. */
export type ParentCall = NonNullable<Parameters<ChannelInterface["createCall"]>[3]>;

/** The parts that the calls of a channel share. */
export interface ChannelParts {
  readonly service: string;
  /** The target of the client, for messages. */
  readonly target: string;
  readonly door: MeshDoor;
  readonly grpc: GrpcPackage;
  readonly settings: ChannelSettings;
  /** Headers that every call has. */
  readonly headers: RequestHeaders;
  readonly requiresTls: boolean;
  /** Credentials of all calls; those of one call come on top. */
  readonly credentials: GrpcCallCredentials | undefined;
  /** The metadata whose value is the hash key of a call. */
  readonly hashKeyFrom: string | undefined;
  readonly connectivity: Connectivity;
}

/** The parts that the calls of a method share. */
export interface MethodParts {
  /** `/shop.v1.Carts/Add`. */
  readonly path: string;
  readonly isRequestStream: boolean;
  readonly isResponseStream: boolean;
  readonly rpc: RpcCall;
  /** Of a call without a deadline. */
  readonly options: CallOptions;
  /** Why no call of the method can be made; `undefined` where one can. */
  readonly fault: string | undefined;
}

/** The limits of one call, by its options. */
export interface CallLimits {
  readonly deadline: Date | number;
  readonly host: string | null | undefined;
  readonly parent: ParentCall | null;
  readonly propagate: number | null | undefined;
}
