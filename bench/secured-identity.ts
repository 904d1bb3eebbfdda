import { join } from "node:path";
import { fileIdentity, type IdentitySource } from "../src/index.ts";

/** The identity of one end, in the directory of the certificates. */
export function identityIn(directory: string, end: "client" | "server"): IdentitySource {
  return fileIdentity({
    cert: join(directory, `${end}.pem`),
    key: join(directory, `${end}-key.pem`),
    bundles: { "bench.example": join(directory, "authority.pem") },
  });
}
