import { describe, expect, it } from "vitest";
import { refusePath } from "../../../src/core/settings/pem.ts";
import { consul } from "../../../src/registries/consul.ts";
import { eureka } from "../../../src/registries/eureka.ts";
import { certificate } from "../../support/certificate.ts";
import { meshOf } from "../../support/mesh.ts";

describe("an option that wants PEM", () => {
  it.each(["/etc/ssl/ca.pem", "./ca.pem", "certs/ca.crt", "C:\\\\certs\\\\ca.pem", "~/ca.pem", "file:///etc/ca.pem"])(
    "says of the path %s that it wants the text of the file",
    (path) => {
      expect(() => refusePath("tls.ca", path)).toThrow("tls.ca must be the text of a PEM file, not its path");
      expect(() => refusePath("tls.ca", [certificate.cert, path])).toThrow("not its path");
    },
  );

  it("quotes nothing of the path", () => {
    expect(() => refusePath("tls.key", "/canary/key.pem")).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining("canary") }),
    );
  });

  it("takes PEM, as a text or as bytes, and nothing", () => {
    for (const value of [undefined, certificate.cert, Buffer.from(certificate.cert), [certificate.cert]]) refusePath("tls.ca", value);
  });

  it("is one of the mesh, of Consul and of Eureka", () => {
    const ca = "/etc/ssl/ca.pem";
    expect(() => meshOf({}, { tls: { ca } })).toThrow("not its path");
    expect(() => consul({ url: "https://127.0.0.1:1", tls: { ca } })).toThrow(/^consul: tls\.ca .*not its path/);
    expect(() => eureka({ servers: ["https://127.0.0.1:1/eureka"], tls: { ca } })).toThrow(/^eureka: tls\.ca .*not its path/);
  });
});
