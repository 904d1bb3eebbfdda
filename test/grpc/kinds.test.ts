// Every kind of call of a generated client, through a mesh to real servers of @grpc/grpc-js.
import * as grpc from "@grpc/grpc-js";
import { describe, expect, it, onTestFinished } from "vitest";
import { clientOptions, meshClient } from "../../src/grpc/grpc.ts";
import { roundRobin } from "../../src/index.ts";
import type { Mesh } from "../../src/mesh/mesh.ts";
import { meshOf } from "../support/mesh.ts";
import { Greeter, type GreeterClient, greet, messagesOf, startGreeter } from "./greeter.ts";

function clientOf(mesh: Mesh): GreeterClient {
  const client = meshClient(mesh, Greeter, "greeter");
  onTestFinished(() => client.close());
  return client;
}

describe("calls of a generated client", () => {
  it("has unary calls answered, by all instances", async () => {
    const instances = await Promise.all([startGreeter(), startGreeter(), startGreeter()]);
    const mesh = meshOf({ greeter: instances.map(({ port }) => port) }, { picker: roundRobin() });
    const client = clientOf(mesh);
    for (let call = 0; call < 9; call++) expect(await greet(client, "Ada")).toBe("hello Ada");
    expect(instances.map(({ calls }) => calls)).toEqual([3, 3, 3]);
  });

  it("has streams in both directions", async () => {
    const { port } = await startGreeter();
    const client = clientOf(meshOf({ greeter: port }));
    expect(await messagesOf(client.count("5"))).toEqual(["1", "2", "3", "4", "5"]);
    const collected = new Promise((resolve, reject) => {
      const call = client.collect(new grpc.Metadata(), {}, (error, answer) => (error === null ? resolve(answer) : reject(error)));
      for (const word of ["one", "two", "three"]) call.write(word);
      call.end();
    });
    expect(await collected).toBe("one two three");
    const talk = client.talk();
    const heard: string[] = [];
    talk.write("a");
    for await (const answer of talk) {
      heard.push(answer);
      if (heard.length === 1) talk.write("b");
      else talk.end();
    }
    expect(heard).toEqual(["A", "B"]);
  });

  it.each([
    ["", {}],
    [", also where a layer has put its own body around the answer", { maxResponseBytes: 1_000_000_000 }],
  ])("holds up the sender of a stream while its reader does not read%s", async (_where, options) => {
    let written = 0;
    const { port } = await startGreeter({
      count(call) {
        const write = (): void => {
          while (written < 1_000 && call.write("x".repeat(60_000))) written++;
          call.once("drain", () => {
            written++;
            write();
          });
        };
        write();
      },
    });
    const stream = clientOf(meshOf({ greeter: port }, options)).count("x");
    stream.on("error", () => {});
    const first = stream[Symbol.asyncIterator]();
    await first.next();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(written).toBeLessThan(100);
    stream.cancel();
  });

  it("works by the options alone, with the target of a service", async () => {
    const { port } = await startGreeter();
    const client = new Greeter("inmesh:///greeter", grpc.credentials.createInsecure(), clientOptions(meshOf({ greeter: port })));
    onTestFinished(() => client.close());
    expect(await greet(client, "Bob")).toBe("hello Bob");
  });
});
