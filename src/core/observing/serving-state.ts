/**
 * The state of a server.
 *
 * - `starting`: it does not listen yet, its services are not warm, or the program is not ready.
 * - `serving`: it is ready, and registered where that was asked for, or on the way to it.
 * - `lame-duck`: it has left the registry and serves on, until callers know.
 * - `draining`: it accepts nothing new and ends what is under way.
 * - `stopped`: nothing is left.
 */
export type ServingState = "starting" | "serving" | "lame-duck" | "draining" | "stopped";

/** All of {@link ServingState}, in their order. */
export const servingStates: readonly ServingState[] = ["starting", "serving", "lame-duck", "draining", "stopped"];
