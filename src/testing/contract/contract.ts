/**
 * One case of a contract suite, for any test runner:
 * `for (const test of discoveryContract(create)) it(test.name, test.run)`.
 */
export interface ContractTest {
  /** A sentence with the property that is tested. */
  readonly name: string;
  /** Resolves when the property holds; rejects with an `AssertionError` that says what was seen instead. Independent of every other case. */
  run(): Promise<void>;
}

/** An instance in a contract suite: the fields that every source can express. */
export interface ContractEndpoint {
  /** An address, or a name where the source under test lists names. */
  readonly host: string;
  /** 1–65535. */
  readonly port: number;
  /** 0–65535; absent means the weight that the source gives an instance without one. */
  readonly weight?: number;
}
