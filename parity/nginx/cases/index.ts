import type { NginxCase } from "../case-file.ts";
import { answerCases } from "./answers.ts";
import { balancingCases } from "./balancing.ts";
import { failureCases } from "./failures.ts";
import { headerCases } from "./headers.ts";
import { locationCases } from "./locations.ts";

/** All cases of nginx. */
export const nginxCases: readonly NginxCase[] = [...balancingCases, ...locationCases, ...headerCases, ...answerCases, ...failureCases];
