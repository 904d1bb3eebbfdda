import { refuseOption } from "../../core/settings/checks.ts";
import { optionTable, type Settled } from "../../core/settings/option-table.ts";
import { choice, custom, orFalse } from "../../core/settings/rules.ts";
import { Networks } from "./networks.ts";
import type { IdentityHeader } from "./proxies/forwarded-identity.ts";

/** Which headers are believed, and from which peers; `trust` in the options of `inbound`. */
export interface TrustOptions {
  /**
   * Addresses and networks of peers whose headers are left as they are: the proxies and gateways in front. A Unix socket counts as this machine.
   * `[]`: none. @default ["127.0.0.0/8","::1"]
   */
  readonly peers?: readonly string[];
  /** Headers that others cannot send, beside those that are always taken out. @default [] */
  readonly alsoStrip?: readonly string[];
  /** Headers that others can send all the same, of those that are taken out. @default [] */
  readonly keep?: readonly string[];
  /**
   * The header by which these peers say whose certificate they have verified, the only one that they set themselves: `x-forwarded-client-cert` (Envoy, Consul
   * Connect), of which the last element counts, or `client-cert` (RFC 9440). The request's caller is then the one it names. `false`: none is believed.
   * @default false
   */
  readonly identity?: IdentityHeader | false;
}

/** This machine: only its own processes reach a server by it, and the proxy in front of a server often is one of them. */
const thisMachine = ["127.0.0.0/8", "::1"];

/** The rules of {@link TrustOptions}. */
export const trustOptions = optionTable<TrustOptions>()({
  peers: custom<readonly string[]>({
    type: "string[]",
    default: thisMachine,
    check(option, value) {
      if (!Array.isArray(value)) refuseOption(option, value, 'an array of addresses and networks such as "10.0.0.0/8"');
      new Networks(option, value);
    },
  }),
  alsoStrip: headerNames(),
  keep: headerNames(),
  identity: orFalse(choice<IdentityHeader>(["x-forwarded-client-cert", "client-cert"]), false),
});

/** {@link TrustOptions} with the defaults filled in. */
export type TrustSettings = Settled<typeof trustOptions.rules>;

function headerNames() {
  return custom<readonly string[]>({
    type: "string[]",
    default: [],
    check(option, value) {
      if (!(Array.isArray(value) && value.every((name) => typeof name === "string" && /^[\w!#$%&'*+.^`|~-]+$/.test(name))))
        refuseOption(option, value, "an array of names of headers");
    },
  });
}
