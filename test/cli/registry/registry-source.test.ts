import { describe, expect, it, vi } from "vitest";
import { runCli } from "../run-cli.ts";

vi.mock("../../../src/registries/consul.ts", () => ({
  consul: () => {
    throw new Error('inmesh/consul needs the package "consul": npm install consul');
  },
}));

describe("the source of a command", () => {
  it("says how to name another one where Consul, the default, cannot be used", async () => {
    const { code, stderr } = await runCli(["check"]);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        'inmesh: inmesh/consul needs the package "consul": npm install consul; or name another source by --eureka, --dns, --file or --static\n',
    });
  });

  it("leaves that out where Consul was named", async () => {
    const { stderr } = await runCli(["check", "--consul", "http://127.0.0.1:1"]);
    expect(stderr).toBe('inmesh: inmesh/consul needs the package "consul": npm install consul\n');
  });
});
