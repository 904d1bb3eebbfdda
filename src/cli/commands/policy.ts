import { type Command, command as declare } from "../command.ts";
import { formatOption } from "../option-table.ts";
import { diffPolicies } from "../policy/diff.ts";
import { proposeFrom } from "../policy/propose.ts";
import { testPolicy } from "../policy/test.ts";
import { UsageError } from "../usage-error.ts";

/** `inmesh policy test FILE`, `inmesh policy diff OLD NEW`, `inmesh policy propose FILE`. */
export const command: Command = declare({
  description:
    "test FILE decides on the requests in `tests` of a policy file, and compares with what each expects: allowed, denied or refused, and by which rule.\n" +
    "diff OLD NEW shows the requests that two versions of a policy decide differently: one of each class that their rules tell apart.\n" +
    "propose FILE writes the policy that allows what a server has recorded (`policyRecorder`, or a log of its audit records) and nothing else.\nNeeds no network.",
  positionals: ["ACTION", "FILE", "[NEW]"],
  options: {
    limit: { type: "string", value: "NUMBER", help: "`diff`: shows at most so many classes of requests. Default: 50." },
    ...formatOption,
  },
  examples: [
    "inmesh policy test policy.yaml",
    "inmesh policy diff policy.yaml new-policy.yaml",
    "inmesh policy propose seen.json > policy.yaml",
  ],
  async run({ values, positionals: [action = "", file = "", next], terminal }) {
    if (action === "diff") {
      if (next === undefined) throw new UsageError("policy diff needs OLD and NEW");
      return await diffPolicies(file, next, values.limit, terminal);
    }
    if (action !== "test" && action !== "propose")
      throw new UsageError(
        `there is no policy ${JSON.stringify(action)}; there are: policy test FILE, policy diff OLD NEW, policy propose FILE`,
      );
    if (next !== undefined) throw new UsageError(`policy ${action} does not know what to do with ${JSON.stringify(next)}`);
    if (action === "propose") return await proposeFrom(file, terminal);
    return await testPolicy(file, terminal);
  },
});
