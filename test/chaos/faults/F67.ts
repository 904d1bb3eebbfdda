import { drainedAtConsul } from "./rolling-restart.ts";

/** Five instances that serve with `inmesh/server` and are registered in a real Consul are restarted one after another, under POSTs alone. */
export const F67 = drainedAtConsul("F67", "graceful-drain", { serve: { framework: "node" } });
