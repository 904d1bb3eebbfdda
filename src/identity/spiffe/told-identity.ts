import type { Credentials } from "../credentials.ts";
import type { IdentityListener } from "../identity-source.ts";
import { grpcCodes } from "./streams/channel.ts";

/** Tells a listener of the credentials that an agent gives. An agent that denies what it gave before takes it back; any other failure leaves it in use. */
export class ToldIdentity {
  readonly #listener: IdentityListener;
  #hasIdentity = false;

  constructor(listener: IdentityListener) {
    this.#listener = listener;
  }

  update(credentials: Credentials): void {
    this.#hasIdentity = true;
    this.#listener.update(credentials);
  }

  withdraw(reason: Error): void {
    this.#hasIdentity = false;
    this.#listener.withdraw(reason);
  }

  failed(error: Error, code: number | undefined): void {
    if (code === grpcCodes.permissionDenied && this.#hasIdentity) this.withdraw(error);
    else this.#listener.fail(error);
  }
}
