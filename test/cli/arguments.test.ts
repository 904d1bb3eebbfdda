import { describe, expect, it } from "vitest";
import { readArguments } from "../../src/cli/arguments.ts";
import { registryOptions } from "../../src/cli/registry/registry-options.ts";
import { UsageError } from "../../src/cli/usage-error.ts";

const options = {
  verbose: { type: "boolean", short: "v", help: "" },
  header: { type: "string", short: "H", multiple: true, value: "LINE", help: "" },
  output: { type: "string", short: "o", choices: ["table", "json"], help: "" },
} as const;

describe("reading arguments", () => {
  it("takes options in every spelling, between arguments and behind --", () => {
    const { values, positionals } = readArguments(["-v", "a", "-Hx: 1", "--header", "y: 2", "--output=json", "--", "-b"], options);
    expect({ ...values }).toEqual({ verbose: true, header: ["x: 1", "y: 2"], output: "json" });
    expect(positionals).toEqual(["a", "-b"]);
  });

  it.each([
    [["--heder", "x"], "there is no option --heder; did you mean --header?"],
    [["--verb"], "did you mean --verbose?"],
    [["-x"], "there is no option -x"],
    [["--__proto__", "x"], "there is no option --__proto__"],
    [["--constructor"], "there is no option --constructor"],
    [["--header"], "--header needs a value: --header LINE"],
    [["--header="], "--header needs a value"],
    [["--header", "-v"], "--header=LINE"],
    [["--verbose=yes"], "--verbose takes no value"],
    [["-o", "xml"], '-o must be one of table, json, not "xml"'],
  ])("refuses %j", (args, message) => {
    expect(() => readArguments(args, options)).toThrow(UsageError);
    expect(() => readArguments(args, options)).toThrow(message);
  });

  it("takes no token on the command line, and does not repeat it", () => {
    const attempt = (args: readonly string[]) => () => readArguments(args, registryOptions);
    for (const args of [["--token", "s3cr3t-canary"], ["--token=s3cr3t-canary"], ["--tokn=s3cr3t-canary"]]) {
      expect(attempt(args)).toThrow(UsageError);
      expect(attempt(args)).not.toThrow("s3cr3t-canary");
    }
    expect(attempt(["--token", "x"])).toThrow("--token-file");
  });
});
