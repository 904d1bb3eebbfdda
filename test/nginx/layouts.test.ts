import { describe, expect, it } from "vitest";
import { fromData } from "../../src/config/read-config.ts";
import { importedFrom, refusalOf } from "../support/nginx-file.ts";
import { layouts } from "./layouts.ts";

/** Those that are refused, with the reason; `501`: they can be taken with answers of 501. */
const refused: Readonly<Record<string, readonly [reason: string, canBe501: boolean]>> = {
  "blocked paths and agents": ["has a lookahead, which linear patterns (RE2) have not", false],
  "PHP by FastCGI": ["fastcgi_pass: it speaks another protocol than HTTP to instances", true],
  "the file that nginx brings": ["root: no files are served: the location has no proxy_pass and no return", true],
  "a login in front": ["auth_basic: it decides which callers are let in", true],
  "Lua of an ingress": ["balancer_by_lua_block: it does not stand in an upstream (it runs code of another language)", false],
  "a limit of requests": ["limit_req: it limits requests", true],
  "many names": ["return: 444 ends the connection", true],
  maintenance: ["if: the condition is none on a variable", true],
  "pages for failures": ["proxy_intercept_errors: answers of instances are not replaced by pages", true],
};
/** Names are kept, so that nothing is resolved. */
const how = { clients: "served" } as const;

describe("files as they are found", () => {
  it.each(Object.entries(layouts).filter(([name]) => refused[name] === undefined))(
    "%s: is a configuration that a mesh takes",
    async (_name, text) => {
      const { data } = await importedFrom(text, how);
      // The files of its certificates are not here.
      const { tls: _, ...rest } = data;
      const options = await fromData(rest, "nginx.conf");
      expect(options.routes).not.toHaveLength(0);
      await options.discovery.close?.();
    },
  );

  it.each(Object.entries(refused))("%s: is refused, or answers 501 where it must", async (name, [reason, canBe501]) => {
    const text = layouts[name] ?? "";
    expect(await refusalOf(text, how)).toContain(reason);
    if (!canBe501) return;
    const { data, notices } = await importedFrom(text, { ...how, unsupported: "answer-501" });
    expect(JSON.stringify(data["routes"])).toContain('"status":501');
    expect(notices.some(({ text: notice }) => notice.includes("answered with 501"))).toBe(true);
    await fromData(data, "nginx.conf");
  });
});
