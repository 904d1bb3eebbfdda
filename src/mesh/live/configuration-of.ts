import type { LiveConfiguration } from "./live-configuration.ts";

const configurations = new WeakMap<object, LiveConfiguration>();

/** Lets the follower of a file find the configuration of a mesh, which is no part of what users of the mesh see. */
export function bindConfiguration(mesh: object, configuration: LiveConfiguration): void {
  configurations.set(mesh, configuration);
}

/** The configuration of a mesh; `undefined` for an object that is none, such as a double of a test. */
export function configurationOf(mesh: object): LiveConfiguration | undefined {
  return configurations.get(mesh);
}
