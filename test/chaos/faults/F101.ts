import { consulScaledIn } from "./scaled-in.ts";

/** Six of eight instances are deregistered properly from a Consul without ACLs, and go on for five seconds. */
export const F101 = consulScaledIn("F101", "consul-scaled-in", false);
