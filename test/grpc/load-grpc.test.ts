import * as grpc from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { loadGrpc } from "../../src/grpc/load-grpc.ts";

const loader = (loaded: unknown, version: unknown = "1.13.4") => ({ load: () => loaded, version: () => version });

describe("@grpc/grpc-js", () => {
  it("is taken as it is installed", () => {
    expect(loadGrpc().Client).toBe(grpc.Client);
  });

  it("that is missing is named with what to install", () => {
    const load = () => {
      throw Object.assign(new Error("Cannot find module"), { code: "MODULE_NOT_FOUND" });
    };
    expect(() => loadGrpc({ load, version: load })).toThrow(
      'inmesh/grpc needs the package "@grpc/grpc-js": npm install @grpc/grpc-js@~1.14.0',
    );
  });

  it("that fails by itself fails with its own error", () => {
    const load = () => {
      throw new Error("its own");
    };
    expect(() => loadGrpc({ load, version: load })).toThrow("its own");
  });

  class ClientWithoutChannel {
    getChannel(): object {
      return {};
    }
  }

  it.each([
    ["no exports", undefined, "exports"],
    ["no client", {}, "Client"],
    ["other metadata", { ...grpc, Metadata: class {} }, "Metadata.add"],
    ["other statuses", { ...grpc, status: {} }, "status.UNAVAILABLE"],
    ["no credentials", { ...grpc, credentials: {} }, "credentials.createInsecure"],
    ["a client that makes its own channels", { ...grpc, Client: ClientWithoutChannel }, "`channelFactoryOverride` that a Client obeys"],
  ])("of another shape, with %s, is refused with the version that was found", (_name, loaded, missing) => {
    expect(() => loadGrpc(loader(loaded))).toThrow(
      `inmesh/grpc needs version ~1.14.0 of "@grpc/grpc-js", and found 1.13.4, which has no ${missing}: npm install @grpc/grpc-js@~1.14.0`,
    );
  });

  it("of a version that is none is described", () => {
    expect(() => loadGrpc(loader({}, 7))).toThrow("found one without a version");
    expect(() => loadGrpc(loader({}, "1\n2"))).toThrow(/found "1\\n2"/);
  });
});
