import type { ParityCase } from "../../parity-case.ts";
import { balancingCases } from "./balancing.ts";
import { changeCases } from "./changes.ts";
import { failureCases } from "./failures.ts";
import { domainCases, matchCases } from "./matches.ts";

/** All cases of Envoy, in the order of the table. */
export const envoyCases: readonly ParityCase[] = [...matchCases, ...domainCases, ...changeCases, ...balancingCases, ...failureCases];
