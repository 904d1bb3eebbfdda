import { expect, it } from "vitest";
import { importedFrom } from "../../support/nginx-file.ts";

const listenersOf = async (listen: string) => {
  const text = `events {} http { upstream a { server 127.0.0.1:1; } server { listen ${listen}; location / { proxy_pass http://a; } } }`;
  return (await importedFrom(text)).listeners.map(({ host, port }) => `${host} ${port}`);
};

it.each([
  ["80", "* 80"],
  ["127.0.0.1", "127.0.0.1 80"],
  ["127.0.0.1:8080", "127.0.0.1 8080"],
  ["localhost", "localhost 80"],
  ["*:81", "* 81"],
  ["[::1]", "::1 80"],
  ["[::1]:82", "::1 82"],
])("listen %s is the address %s", async (listen, address) => {
  expect(await listenersOf(listen)).toEqual([address]);
});

it.each(["0.0.0.0:99999", "[::1]80", "[127.0.0.1]:80", "a:b:80"])("listen %s is an error", async (listen) => {
  await expect(listenersOf(listen)).rejects.toThrow("is no address such as 80");
});
