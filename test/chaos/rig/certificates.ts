import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FileIdentityOptions } from "../../../src/identity/files/file-options.ts";
import { Authority, type Wanted } from "../../support/odd-authority.ts";
import type { InstanceTls } from "./instance-config.ts";
import type { World } from "./world.ts";

const domain = "chaos.test";

/** The id that every instance of the service under test has. */
export const shopId = `spiffe://${domain}/shop`;
export const clientId = `spiffe://${domain}/client`;

/** The authority of a world, the files of its clients, and the certificates of its instances. */
export class Certificates {
  readonly #directory: string;
  #authorities: readonly Authority[];

  private constructor(directory: string, authority: Authority) {
    this.#directory = directory;
    this.#authorities = [authority];
  }

  /** Also gives the clients of `world` their first certificate, and tells them whom to call: instances with {@link shopId}, over TLS. */
  static async create(world: World, mesh: object = {}): Promise<Certificates> {
    const certificates = new Certificates(join(world.directory, "identity"), await Authority.create("chaos"));
    await mkdir(certificates.#directory);
    await certificates.renewClients();
    world.load = { identity: certificates.files, mesh: { peer: { mode: "strict", id: shopId }, identityGraceMs: 1_000, ...mesh } };
    return certificates;
  }

  get files(): FileIdentityOptions {
    const at = (name: string): string => join(this.#directory, name);
    return { cert: at("cert.pem"), key: at("key.pem"), bundles: { [domain]: at("ca.pem") }, pollMs: 100 };
  }

  /** A certificate of the newest authority for an instance. */
  async ofInstance(wanted: Wanted = {}, issuer: Authority = this.#newest): Promise<InstanceTls> {
    const { cert, key } = await issuer.issue({ uris: [shopId], ...wanted });
    return { cert, key, ca: this.#bundle };
  }

  /** Writes the clients' files again, one after the other, with a new certificate of the newest authority. */
  async renewClients(wanted: Wanted = {}): Promise<void> {
    const { cert, key } = await this.#newest.issue({ uris: [clientId], notBefore: new Date(), ...wanted });
    await this.#write("ca.pem", this.#bundle);
    await this.#write("cert.pem", cert);
    await this.#write("key.pem", key);
  }

  /** Trusts a new authority beside the old one; nothing is issued by it before this has been told to all. */
  async addAuthority(): Promise<void> {
    const [old] = this.#authorities;
    this.#authorities = [old as Authority, await Authority.create("chaos 2")];
    await this.#write("ca.pem", this.#bundle);
  }

  /** The old authority is trusted no more. */
  dropAuthority(): void {
    this.#authorities = this.#authorities.slice(-1);
  }

  get #newest(): Authority {
    return this.#authorities.at(-1) as Authority;
  }

  get #bundle(): string {
    return this.#authorities.map(({ cert }) => cert).join("\n");
  }

  async #write(name: string, text: string): Promise<void> {
    await writeFile(join(this.#directory, name), text, { mode: 0o600 });
  }
}
