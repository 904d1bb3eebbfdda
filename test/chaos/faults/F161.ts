import { drainedAtConsul } from "./rolling-restart.ts";

/** As F67, with Fastify. */
export const F161 = drainedAtConsul("F161", "graceful-drain-fastify", { serve: { framework: "fastify" } });
