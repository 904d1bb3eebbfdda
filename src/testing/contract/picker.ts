import type { ContractTest } from "./contract.ts";
import { type CreatePicker, pickerCases } from "./picker-cases.ts";

/** Tolerances of {@link pickerContract}. */
export interface PickerContractOptions {
  /**
   * The deviation of the share of one of several equal upstreams from the fair one that is allowed beside what chance explains, as a
   * part of the fair share, 0 or more. A ring of hashes needs about 0.3. @default 0.05
   */
  readonly maxSkewRatio?: number;
}

/**
 * The cases that every picker passes, for any test runner. Each makes its own pickers; a case that fails rejects with an
 * `AssertionError` of `node:assert` that says what was picked and what was expected.
 * @param create makes a picker; it must take its random numbers from the options, so that a failure can be repeated
 */
export function pickerContract(create: CreatePicker, options: PickerContractOptions = {}): readonly ContractTest[] {
  const { maxSkewRatio = 0.05 } = options;
  return pickerCases.map(({ name, run }) => ({
    name,
    async run() {
      run(create, maxSkewRatio);
    },
  }));
}
