import { percentDecoded } from "./percent-encoding.ts";

// Parameters of signatures and keys that the semantic conventions name, and others that usually are secrets.
const secretParameters: ReadonlySet<string> = new Set([
  "awsaccesskeyid",
  "signature",
  "sig",
  "x-goog-signature",
  "x-amz-signature",
  "x-amz-credential",
  "x-amz-security-token",
  "access_token",
  "refresh_token",
  "id_token",
  "token",
  "api_key",
  "apikey",
  "key",
  "code",
  "auth",
  "authorization",
  "client_secret",
  "secret",
  "password",
  "passwd",
  "pwd",
  "session",
  "sessionid",
]);

/** Whether the value of a parameter of a query usually is a secret; `name` as it stands in the query. */
export function isSecretParameter(name: string): boolean {
  return secretParameters.has((percentDecoded(name) ?? name).toLowerCase());
}

/** Whether the query of a path has a parameter whose value usually is a secret. */
export function hasSecretParameter(path: string): boolean {
  const from = path.indexOf("?");
  return (
    from >= 0 &&
    path
      .slice(from + 1)
      .split("&")
      .some((pair) => isSecretParameter(pair.split("=", 1)[0] as string))
  );
}
