import type { ServerReply } from "../server/node-server.ts";

const ownerKey = Symbol("inmesh passage");

/** Told of what becomes of a response. */
export interface ReplyOwner {
  /** It has been sent, or its connection has closed. */
  closed(): void;
  /** Its client takes data again. */
  drained(): void;
}

interface Owned {
  [ownerKey]?: ReplyOwner;
}

/** Tells `owner` when the response closes, by one function for all responses. */
export function tellOwner(reply: ServerReply, owner: ReplyOwner): void {
  (reply as Owned)[ownerKey] = owner;
  (reply as NodeJS.EventEmitter).on("close", onClose);
}

/** Tells the owner once when the client takes data again. */
export function tellWhenDrained(reply: ServerReply): void {
  (reply as NodeJS.EventEmitter).once("drain", onDrain);
}

function onClose(this: ServerReply): void {
  (this as Owned)[ownerKey]?.closed();
}

function onDrain(this: ServerReply): void {
  (this as Owned)[ownerKey]?.drained();
}
