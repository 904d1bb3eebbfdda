import type { Duplex } from "node:stream";
import type { MeshRequest } from "../dispatch.ts";
import type { Send } from "./stage.ts";

/** A connection that has changed its protocol, as an instance has answered. */
export interface SwitchedConnection {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly socket: Duplex;
}

/** The cause of the error of an upgrade that the rule of a route has answered, with that answer. */
export class AnsweredUpgrade extends Error {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];

  /** The body. */
  readonly text: string;

  constructor({ status, headers }: Pick<SwitchedConnection, "status" | "headers">, text: string) {
    super(`answered with status ${status}`);
    this.status = status;
    this.headers = headers;
    this.text = text;
  }
}

/** A request, as far as routes look at it. */
export type RuledRequest = Pick<MeshRequest, "service" | "method" | "path" | "headers" | "options">;

/** A mesh, as a gateway in the same process sends requests through it: without the edge of `fetch`, its promise and its `Response`. */
export interface MeshDoor {
  /** Sends a request down the pipeline, as `mesh.request` does. */
  readonly send: Send;
  /** Changes the protocol of a connection to an instance, as the WebSockets of a dispatcher do. */
  upgrade(request: MeshRequest, protocol: string): Promise<SwitchedConnection>;
  /**
   * The name of the rule of the routes that a request comes to; `undefined` where none matches it.
   * @throws MeshError where the source of the routes has told of none yet.
   */
  ruleOf(request: RuledRequest): string | undefined;
  /** The names of all rules; `undefined` where the source of the routes has told of none yet. */
  ruleNames(): readonly string[] | undefined;
}

const doors = new WeakMap<object, MeshDoor>();

/** Lets a gateway find the door of a mesh, which is no part of what users of the mesh see. */
export function bindDoor(mesh: object, door: MeshDoor): void {
  doors.set(mesh, door);
}

/** The door of a mesh; `undefined` for an object that is none, such as a double of a test. */
export function doorOf(mesh: object): MeshDoor | undefined {
  return doors.get(mesh);
}
