import type { Credentials } from "../../src/identity/credentials.ts";
import type { IdentityListener } from "../../src/identity/identity-source.ts";
import { until } from "./until.ts";

/** Hears of a source and writes down all of it. */
export class IdentityJournal implements IdentityListener {
  readonly updates: Credentials[] = [];
  readonly withdrawals: Error[] = [];
  readonly failures: Error[] = [];

  update(credentials: Credentials): void {
    this.updates.push(credentials);
  }

  withdraw(reason: Error): void {
    this.withdrawals.push(reason);
  }

  fail(error: Error): void {
    this.failures.push(error);
  }

  /** The credentials of update number `count`, once they are there. */
  updated(count: number): Promise<Credentials> {
    return until(`update ${count}`, () => this.updates[count - 1] ?? false, 15_000);
  }

  /** The failure that matches, once it is there. */
  failed(text: RegExp): Promise<Error> {
    return until(`a failure like ${text}`, () => this.failures.find(({ message }) => text.test(message)) ?? false, 15_000);
  }

  /** The first withdrawal, once it is there. */
  withdrawn(): Promise<Error> {
    return until("a withdrawal", () => this.withdrawals[0] ?? false, 15_000);
  }
}
