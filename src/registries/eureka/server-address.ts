import { withoutTrailingSlashes } from "../../core/http/without-trailing-slashes.ts";
/** One Eureka server, with its credentials. Messages use {@link ServerAddress.label} alone. */
export interface ServerAddress {
  /** `http://host:port/eureka`, never with credentials. */
  readonly label: string;
  readonly secure: boolean;
  /** IPv6 without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** The path before `/apps/`, without a final slash. */
  readonly basePath: string;
  /** The `Authorization` header. */
  readonly authorization: string | undefined;
}

/** Credentials for HTTP basic authentication (RFC 7617). */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/**
 * Reads a service URL such as `http://user:password@host:8761/eureka`. No path means `/eureka`; `/apps` at the end is dropped. Throws a
 * `TypeError` that names the option and never quotes the URL, which may hold a password.
 */
export function parseServer(url: unknown, option: string, credentials: Credentials | undefined): ServerAddress {
  const parsed = typeof url === "string" && URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined) throw new TypeError(`eureka: ${option} must be a URL such as "http://127.0.0.1:8761/eureka"`);
  const secure = parsed.protocol === "https:";
  if (!secure && parsed.protocol !== "http:")
    throw new TypeError(`eureka: ${option} must begin with http:// or https://, not ${parsed.protocol}//`);
  if (parsed.search !== "" || parsed.hash !== "") throw new TypeError(`eureka: ${option} must have neither a query nor a fragment`);
  const path = withoutTrailingSlashes(parsed.pathname).replace(/\/apps$/, "");
  const basePath = path === "" && !parsed.pathname.startsWith("/apps") ? "/eureka" : path;
  return {
    label: `${parsed.protocol}//${parsed.host}${basePath}`,
    secure,
    hostname: parsed.hostname.replace(/^\[|\]$/g, ""),
    port: parsed.port === "" ? (secure ? 443 : 80) : Number(parsed.port),
    basePath,
    authorization: authorizationOf(credentialsIn(parsed, option) ?? credentials),
  };
}

function credentialsIn(url: URL, option: string): Credentials | undefined {
  if (url.username === "" && url.password === "") return undefined;
  try {
    return { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  } catch {
    throw new TypeError(`eureka: the user or password in ${option} is not percent-encoded correctly`);
  }
}

function authorizationOf(credentials: Credentials | undefined): string | undefined {
  if (credentials === undefined) return undefined;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
}
