import { consulScaledIn } from "./scaled-in.ts";

/** The same in a Consul with ACLs, which the clients ask with a token. */
export const F102 = consulScaledIn("F102", "consul-with-acls-scaled-in", true);
