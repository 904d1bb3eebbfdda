import { expect, it } from "vitest";
import { localResponse } from "../../../src/core/buffered-body.ts";
import type { Interceptor } from "../../../src/core/dispatch.ts";
import type { Stage } from "../../../src/core/stages/stage.ts";
import { wayThrough } from "../../../src/core/stages/way.ts";
import { testRequest } from "../../../src/testing/request.ts";

it("layers of both forms are passed in their order, whichever form the way is used in", async () => {
  const passed: string[] = [];
  const interceptor = (name: string): Interceptor => {
    return (next) => async (request) => {
      passed.push(name);
      const response = await next(request);
      passed.push(`${name} ${response.status}`);
      return response;
    };
  };
  const stage = (name: string): Stage => {
    return (next) => (request, receiver) => {
      passed.push(name);
      next(request, {
        answered(response) {
          passed.push(`${name} ${response.status}`);
          receiver.answered(response);
        },
        failed: (error) => receiver.failed(error),
      });
    };
  };
  const layers = [{ stage: stage("a") }, { interceptor: interceptor("b") }, { stage: stage("c") }, { stage: stage("d") }];
  const way = wayThrough(layers, async () => localResponse(200));
  const expected = ["a", "b", "c", "d", "d 200", "c 200", "b 200", "a 200"];
  await way.dispatch(testRequest());
  expect(passed.splice(0)).toEqual(expected);
  await new Promise<void>((resolve, reject) => way.send(testRequest(), { answered: () => resolve(), failed: reject }));
  expect(passed).toEqual(expected);
});
