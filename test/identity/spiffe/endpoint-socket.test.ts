import { describe, expect, it } from "vitest";
import { targetOf } from "../../../src/identity/spiffe/endpoint-socket.ts";

describe("the address of an agent", () => {
  it.each([
    ["unix:///run/spire/agent.sock", "unix:/run/spire/agent.sock"],
    ["unix:/run/spire/agent.sock", "unix:/run/spire/agent.sock"],
    ["tcp://127.0.0.1:8081", "127.0.0.1:8081"],
    ["tcp://[::1]:8081", "[::1]:8081"],
  ])("%s is taken", (text, target) => {
    expect(targetOf("socket", text, {})).toBe(target);
  });

  it.each([
    "unix://run/agent.sock",
    "unix:agent.sock",
    "unix:///",
    "unix:///a?b",
    "tcp://localhost:8081",
    "tcp://127.0.0.1",
    "tcp://127.0.0.1:0",
    "tcp://127.0.0.1:65536",
    "tcp://[127.0.0.1]:80",
    "tcp://127.0.0.1:80/path",
    "http://127.0.0.1:80",
    "/run/agent.sock",
  ])("%s is refused", (text) => {
    expect(() => targetOf("socket", text, {})).toThrow("socket must be unix:///absolute/path or tcp://IP:PORT");
  });

  it("is that of the environment where no other is given, and an error names the variable", () => {
    expect(targetOf("socket", undefined, { SPIFFE_ENDPOINT_SOCKET: "unix:///a" })).toBe("unix:/a");
    expect(() => targetOf("socket", undefined, { SPIFFE_ENDPOINT_SOCKET: "a" })).toThrow(/^SPIFFE_ENDPOINT_SOCKET must be/);
    expect(() => targetOf("socket", undefined, {})).toThrow(/SPIFFE_ENDPOINT_SOCKET is not set/);
  });
});
