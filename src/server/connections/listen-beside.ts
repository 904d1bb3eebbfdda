import type { NodeServer } from "../node-server.ts";

const beside = new WeakMap<NodeServer, readonly NodeServer[]>();

/** Events that carry a connection that has been accepted. */
const accepted: ReadonlySet<string | symbol> = new Set(["connection"]);

/**
 * Has servers that listen at further addresses hand their connections to one server, as whose connections they are then served: those of `localhost`, which
 * is an address of IPv4 and one of IPv6. Returns the function that ends it.
 */
export function listenBeside(server: NodeServer, others: readonly NodeServer[]): () => void {
  if (others.length === 0) return () => {};
  beside.set(server, others);
  const undo = others.map((other) => {
    const events = other as unknown as { emit(event: string | symbol, ...args: unknown[]): boolean };
    const former = events.emit;
    events.emit = function (this: unknown, event, ...args) {
      const target = accepted.has(event) ? server : other;
      return target === other ? former.call(other, event, ...args) : target.emit(event as "connection", args[0] as never);
    };
    return () => Reflect.deleteProperty(events, "emit");
  });
  return () => {
    beside.delete(server);
    for (const each of undo) each();
  };
}

/** The servers that hand their connections to this one. */
export function listenersBeside(server: NodeServer): readonly NodeServer[] {
  return beside.get(server) ?? [];
}
