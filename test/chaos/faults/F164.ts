import { drainedAtConsul } from "./rolling-restart.ts";

/** As F67, with HTTP/2 from the first byte. */
export const F164 = drainedAtConsul("F164", "graceful-drain-h2c", { protocol: "h2c", serve: { framework: "node" } });
