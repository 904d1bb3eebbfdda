import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { localResponse } from "../../../src/core/buffered-body.ts";
import type { MeshResponse } from "../../../src/core/dispatch.ts";
import { dispatchOf, interceptorOf, type Receiver, type Send, sendOf, settleWith } from "../../../src/core/stages/stage.ts";
import { testRequest } from "../../../src/testing/request.ts";

/** What a receiver is told, in order. */
function noting(): { readonly receiver: Receiver; readonly told: string[] } {
  const told: string[] = [];
  return {
    told,
    receiver: {
      answered: ({ status }) => told.push(String(status)),
      failed: (error) => told.push(String(error)),
    },
  };
}

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a dispatch as a send", () => {
  it("tells the receiver of a response, and of a failure, after the caller has gone on", async () => {
    const { receiver, told } = noting();
    sendOf(async () => localResponse(204))(testRequest(), receiver);
    sendOf(() => Promise.reject("no instance"))(testRequest(), receiver);
    expect(told).toEqual([]);
    await later();
    expect(told.toSorted()).toEqual(["204", "no instance"]);
  });

  it("throws as the dispatch does, and tells nothing then", () => {
    const { receiver, told } = noting();
    const send = sendOf(() => {
      throw new Error("at once");
    });
    expect(() => send(testRequest(), receiver)).toThrow("at once");
    expect(told).toEqual([]);
  });

  it("tells the receiver in the asynchronous context of the request, whatever settles the promise", async () => {
    const contexts = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    let settle: (response: MeshResponse) => void = () => {};
    const send = sendOf(
      () =>
        new Promise((resolve) => {
          settle = resolve;
        }),
    );
    const note = () => seen.push(contexts.getStore());
    contexts.run("the call", () => send(testRequest(), { answered: note, failed: note }));
    contexts.run("a connection", () => settle(localResponse(200)));
    await later();
    expect(seen).toEqual(["the call"]);
  });
});

describe("a receiver that throws", () => {
  it("is told of its own error as a failure, so that nobody waits for ever", async () => {
    const told: unknown[] = [];
    const broken = new Error("broken");
    const answered = () => {
      throw broken;
    };
    settleWith(Promise.resolve(localResponse(200)), { answered, failed: (error) => told.push(error) });
    await later();
    expect(told).toEqual([broken]);
  });
});

describe("a send as a dispatch", () => {
  it("resolves with the response and rejects with the failure", async () => {
    const response = localResponse(200);
    expect(await dispatchOf((_, receiver) => receiver.answered(response))(testRequest())).toBe(response);
    await expect(dispatchOf((_, receiver) => receiver.failed("refused"))(testRequest())).rejects.toBe("refused");
  });

  it("rejects with what is thrown", async () => {
    const send: Send = () => {
      throw new Error("at once");
    };
    await expect(dispatchOf(send)(testRequest())).rejects.toThrow("at once");
  });
});

it("a stage is an interceptor around a dispatch", async () => {
  const paths: string[] = [];
  const interceptor = interceptorOf((next) => (request, receiver) => {
    paths.push(request.path);
    next(request, receiver);
  });
  expect((await interceptor(async () => localResponse(202))(testRequest({ path: "/a" }))).status).toBe(202);
  expect(paths).toEqual(["/a"]);
});
