import { optionTable } from "./settings/option-table.ts";
import { choice } from "./settings/rules.ts";

/** What is spoken to an instance. */
export type Protocol = "h1" | "h2" | "auto";

/** Whether connections over HTTP/1.1 are kept for the requests of others, or each carries one request. */
export type Isolation = "shared" | "per-request";

/** What is spoken to the instances of a service. */
export interface ProtocolOptions {
  /**
   * `h1`: HTTP/1.1. `h2`: HTTP/2, without TLS by prior knowledge (h2c). `auto`: the one that an instance which speaks TLS chooses (ALPN),
   * HTTP/1.1 to the others. @default "h1"
   */
  readonly protocol?: Protocol;
  /**
   * `per-request`: over HTTP/1.1 each request has a connection of its own, so that an instance which is not trusted cannot answer one
   * caller with what is meant for another. Over HTTP/2 requests have streams of their own in any case. @default "shared"
   */
  readonly isolation?: Isolation;
}

/** The rules of {@link ProtocolOptions}. */
export const protocolOptions = optionTable<ProtocolOptions>()({
  protocol: choice(["h1", "h2", "auto"], "h1"),
  isolation: choice(["shared", "per-request"], "shared"),
});
