import { expect, it } from "vitest";
import { TokenKeeper } from "../../../src/policies/token/token-keeper.ts";
import { virtualClock } from "../../../src/testing/virtual-clock.ts";

it("a token is renewed in the background when four fifths of its life are over, and a failure then leaves it in use", async () => {
  const clock = virtualClock();
  let asked = 0;
  let fails = false;
  const provider = async () => {
    asked++;
    if (fails) throw new Error("down");
    return { token: `t${asked}`, expiresAtMs: clock.wallNow() + 100_000 };
  };
  const keeper = new TokenKeeper({ audience: "orders", provider, timeoutMs: 5_000, clock });
  expect(await keeper.token()).toBe("t1");
  await clock.advance(79_000);
  expect(keeper.token()).toBe("t1");
  fails = true;
  await clock.advance(2_000);
  expect(keeper.token()).toBe("t1");
  await clock.advance(500);
  expect(keeper.token()).toBe("t1");
  expect(asked).toBe(2);
  fails = false;
  await clock.advance(1_000);
  expect(keeper.token()).toBe("t1");
  await clock.advance(1);
  expect(keeper.token()).toBe("t3");
  fails = true;
  await clock.advance(100_000);
  await expect(keeper.token()).rejects.toThrow("down");
});
