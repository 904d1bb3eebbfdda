import { withoutTrailingSlashes } from "../../core/http/without-trailing-slashes.ts";
import type { Io } from "../io.ts";
import { UsageError } from "../usage-error.ts";

/** Address and token of a Consul agent. */
export interface ConsulAccess {
  /** `http://127.0.0.1:8500`, without a trailing slash. */
  readonly url: string;
  readonly token: string | { readonly file: string } | undefined;
}

/** Reads `--consul`, `--token-file` and the environment variables of Consul's own tools. */
export function consulAccess(values: { readonly consul?: string; readonly "token-file"?: string }, env: Io["env"]): ConsulAccess {
  const file = values["token-file"];
  if (file !== undefined) return { url: addressOf(values.consul, env), token: { file } };
  const token = env["CONSUL_HTTP_TOKEN"] || undefined;
  const variableFile = env["CONSUL_HTTP_TOKEN_FILE"] || undefined;
  return { url: addressOf(values.consul, env), token: token ?? (variableFile === undefined ? undefined : { file: variableFile }) };
}

function addressOf(given: string | undefined, env: Io["env"]): string {
  const address = given ?? (env["CONSUL_HTTP_ADDR"] || "127.0.0.1:8500");
  if (address.startsWith("unix:")) throw new UsageError("Consul on a Unix socket is not supported: give the URL of its HTTP API");
  // Consul's own tools accept an address without a scheme, too.
  const isSecure = env["CONSUL_HTTP_SSL"] === "true" || env["CONSUL_HTTP_SSL"] === "1";
  return withoutTrailingSlashes(/^[a-z]+:\/\//i.test(address) ? address : `${isSecure ? "https" : "http"}://${address}`);
}
