import type { EventSink } from "./events.ts";
import type { ServerReading } from "./reading.ts";
import type { ServedEnd, ServedObserver, ServedRequest } from "./served-request.ts";

/** The observers of a mesh, as a server that belongs to the mesh reaches them. */
export interface ServerObservers extends EventSink {
  /** The followers of a request that the server got; `undefined`, and nothing allocated, while no observer follows it. */
  followServed(request: ServedRequest): readonly ServedObserver[] | undefined;
  /** Runs `run` exactly once, inside the `around` of the followers. */
  around<T>(followers: readonly ServedObserver[], run: () => T): T;
  /** Tells the followers of a request that it has ended. */
  ended(followers: readonly ServedObserver[], end: ServedEnd): void;
}

const observersByMesh = new WeakMap<object, ServerObservers>();

/** Lets servers find the observers of a mesh, which are no part of what users of the mesh see. */
export function bindObservers(mesh: object, observers: ServerObservers): void {
  observersByMesh.set(mesh, observers);
}

/** The observers of a mesh; `undefined` for an object that is none, such as a double of a test. */
export function observersOf(mesh: object): ServerObservers | undefined {
  return observersByMesh.get(mesh);
}

const serversByMesh = new WeakMap<object, Set<() => ServerReading>>();

/** Adds a server to those that a mesh shows; returns the function that removes it. */
export function joinServers(mesh: object, read: () => ServerReading): () => void {
  const servers = serversByMesh.get(mesh) ?? new Set();
  serversByMesh.set(mesh, servers);
  servers.add(read);
  return () => void servers.delete(read);
}

/** Reads the servers of a mesh. */
export function serversOf(mesh: object): readonly ServerReading[] {
  return [...(serversByMesh.get(mesh) ?? [])].map((read) => read());
}
