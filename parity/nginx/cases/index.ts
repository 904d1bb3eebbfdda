import type { NginxCase } from "../case-file.ts";
import { balancingCases } from "./balancing.ts";

/** All cases of nginx. */
export const nginxCases: readonly NginxCase[] = [...balancingCases];
