import type { Clock } from "../core/clock.ts";
import { checkFlag, checkInteger, checkKeys, checkObject, checkText, refuseOption } from "../core/settings/checks.ts";
import { quoted } from "../core/text/clean-text.ts";
import { isLoopback } from "./gate.ts";

/** Options of {@link admin}. */
export interface AdminOptions {
  /** TCP port; 0 takes a free one. @default 7412 */
  readonly port?: number;
  /** The address to listen on. Any but a loopback address needs `allowRemote` and `token`. @default "127.0.0.1" */
  readonly host?: string;
  /** Allows an address that other machines reach; reading takes the token then, too. @default false */
  readonly allowRemote?: boolean;
  /** Further host names of the page, without ports; requests with any other Host header are refused. @default [] */
  readonly allowedHosts?: readonly string[];
  /** The bearer token of changes: at least 16 printable ASCII characters, no spaces. Without one, nothing can be changed. @default none */
  readonly token?: string;
  /** URL of the dashboard of a service, with `{service}` for its name; the page links to it. @default none */
  readonly dashboardUrl?: string;
  /** Time; for tests. */
  readonly clock?: Clock;
}

const minTokenLength = 16;

/**
 * Checks the options of `admin`. No message holds the token.
 * @throws TypeError or RangeError naming the option.
 */
export function checkAdminOptions(options: AdminOptions): void {
  checkObject("admin", options);
  checkKeys("admin", options, ["port", "host", "allowRemote", "allowedHosts", "token", "dashboardUrl", "clock"]);
  const { port, host = "127.0.0.1", allowRemote = false, allowedHosts, token, dashboardUrl } = options;
  checkInteger("admin: port", port, 0, 65_535);
  checkText("admin: host", host);
  checkFlag("admin: allowRemote", allowRemote);
  checkText("admin: dashboardUrl", dashboardUrl);
  if (allowedHosts !== undefined && !(Array.isArray(allowedHosts) && allowedHosts.every((name) => typeof name === "string" && name !== "")))
    refuseOption("admin: allowedHosts", allowedHosts, "an array of host names");
  if (token !== undefined && !(typeof token === "string" && token.length >= minTokenLength && /^[\x21-\x7e]+$/.test(token)))
    throw new TypeError(`admin: token must be a string of at least ${minTokenLength} printable ASCII characters without spaces`);
  // It becomes the target of a link, so a scheme such as javascript: is refused.
  if (dashboardUrl !== undefined && !/^https?:$/.test(URL.parse(dashboardUrl.replaceAll("{service}", "x"))?.protocol ?? ""))
    refuseOption("admin: dashboardUrl", dashboardUrl, 'a URL like "http://grafana:3000/d/inmesh?var-service={service}"');
  if (!isLoopback(host) && !(allowRemote && token !== undefined)) {
    throw new TypeError(
      `admin: host ${quoted(host)} is no loopback address, which others could read. It takes allowRemote: true and a token`,
    );
  }
}
