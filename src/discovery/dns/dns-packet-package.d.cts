import type * as DnsPacket from "dns-packet";

/** Loads the npm package `dns-packet`. */
export declare function load(): typeof DnsPacket;
