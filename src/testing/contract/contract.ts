/**
 * One case of a contract suite, for any test runner:
 * `for (const test of discoveryContract(create)) it(test.name, test.run)`.
 */
export interface ContractTest {
  /** A sentence that says what holds. */
  readonly name: string;
  /** Resolves when it holds, rejects with an `AssertionError` that says what was seen instead. Independent of every other case. */
  run(): Promise<void>;
}

/** What an instance is to a contract suite: the part that every source can express. */
export interface ContractEndpoint {
  /** An address, or a name where the source under test tells names. */
  readonly host: string;
  /** 1–65535. */
  readonly port: number;
  /** 0–65535; absent means whatever the source says of an instance without a weight. */
  readonly weight?: number;
}
