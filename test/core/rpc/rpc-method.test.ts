import { expect, it } from "vitest";
import { fullNameOf, rpcMethodOf } from "../../../src/core/rpc/rpc-method.ts";

it("finds the method in the last two parts of a path", () => {
  const found = ["/shop.v1.Carts/Add", "/api/v2/shop.v1.Carts/Add", "/Carts/Add?connect=v1"].map((path) => rpcMethodOf(path));
  expect(found.map((each) => each && fullNameOf(each))).toEqual(["shop.v1.Carts/Add", "shop.v1.Carts/Add", "Carts/Add"]);
});

it("finds none in other paths", () => {
  for (const path of ["/", "/Add", "/carts/7", "/carts/a%2Fb", "/shop.v1.Carts/Add/", "/carts/add-item"])
    expect([path, rpcMethodOf(path)]).toEqual([path, undefined]);
});
