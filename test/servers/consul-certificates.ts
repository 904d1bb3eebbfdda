import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The files of a Consul agent that serves HTTPS. */
export interface ConsulCertificates {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** The authority's certificate (PEM), by which clients know the agent. */
  readonly ca: string;
}

/** Lets Consul itself make an authority and a certificate for 127.0.0.1 and localhost, once per directory. */
export const consulCertificates = async (program: string, directory: string): Promise<ConsulCertificates> => {
  const caFile = join(directory, "consul-agent-ca.pem");
  const certFile = join(directory, "dc1-server-consul-0.pem");
  const keyFile = join(directory, "dc1-server-consul-0-key.pem");
  if (!existsSync(certFile)) {
    await run(program, ["tls", "ca", "create"], { cwd: directory });
    await run(program, ["tls", "cert", "create", "-server", "-dc", "dc1"], { cwd: directory });
  }
  return { caFile, certFile, keyFile, ca: await readFile(caFile, "utf8") };
};
