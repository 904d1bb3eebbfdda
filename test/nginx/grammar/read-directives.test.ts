import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Directive } from "../../../src/nginx/grammar/directive.ts";
import { parseFile } from "../../../src/nginx/grammar/parse-file.ts";
import { readDirectives } from "../../../src/nginx/grammar/read-directives.ts";

type Plain = readonly [name: string, ...args: (string | readonly Plain[])[]];

const plain = ({ name, args, block }: Directive): Plain => [
  name,
  ...args.map(({ text }) => text),
  ...(block === undefined ? [] : [block.map(plain)]),
];
const parsed = (text: string) => parseFile(text, "nginx.conf").map(plain);
const faultIn = (text: string): string => {
  try {
    parseFile(text, "nginx.conf");
  } catch (error) {
    return (error as Error).message;
  }
  return "no fault";
};

describe("the grammar of nginx", () => {
  it("has directives with words, and blocks", () => {
    expect(parsed("worker_processes 1;\nevents { }\nhttp { server { listen 80; } }")).toEqual([
      ["worker_processes", "1"],
      ["events", []],
      ["http", [["server", [["listen", "80"]]]]],
    ]);
  });

  it("knows quotes, escapes and comments only where a word begins", () => {
    expect(parsed(`log "a b;{" 'c"d' e"f g#h "tab\\tquote\\"end" \\d+; # comment ; {`)).toEqual([
      ["log", "a b;{", 'c"d', 'e"f', "g#h", 'tab\tquote"end', "\\d+"],
    ]);
  });

  it("keeps the braces of a variable, and those that close in a word", () => {
    expect(parsed(`return 301 https://\${host}/x; if ($a ~ x}) { set $b 1; }`)).toEqual([
      ["return", "301", `https://\${host}/x`],
      ["if", "($a", "~", "x})", [["set", "$b", "1"]]],
    ]);
  });

  it("gives each directive and each word its place, with a byte order mark and line breaks of Windows too", () => {
    const [first, second] = parseFile("\uFEFFa  b;\r\n  c 'd\ne' f;", "x.conf");
    expect(first).toMatchObject({ place: { line: 1, column: 1 }, args: [{ place: { line: 1, column: 4 } }] });
    expect(second).toMatchObject({
      place: { line: 2, column: 3 },
      args: [{ place: { line: 2, column: 5 } }, { place: { line: 3, column: 4 } }],
    });
  });

  it("passes over the Lua in a block of it", () => {
    expect(parsed(`access_by_lua_block { local a = "}" if x then y = { } end } next 1;`)).toEqual([
      ["access_by_lua_block", []],
      ["next", "1"],
    ]);
  });

  it.each([
    ["listen 80", 'nginx.conf:1:8: the file ends within a directive; ";" is missing'],
    ["listen 80 ", 'nginx.conf:1:1: listen: the file ends within the directive; ";" is missing'],
    ["http {\n server {\n }", 'nginx.conf:1:1: http: the file ends within the block; "}" is missing'],
    ["http { listen 80 }", 'nginx.conf:1:18: listen: unexpected "}"; is ";" missing?'],
    ["a;\n}", 'nginx.conf:2:1: unexpected "}": no block is open'],
    [";", 'nginx.conf:1:1: unexpected ";": no directive stands in front of it'],
    ["a { { } }", 'nginx.conf:1:5: unexpected "{": no directive stands in front of it'],
    ["a 'b'c;", 'nginx.conf:1:6: unexpected "c" behind a quote'],
    ["a 'b;\n", "nginx.conf:1:3: the text in ' does not end"],
    ["a b\\", "nginx.conf:1:3: the file ends behind a backslash"],
    [`a ${"b".repeat(5_000)};`, 'nginx.conf:1:3: a word has more than 4096 characters; is a quote or ";" missing?'],
    ["a { ".repeat(33), "nginx.conf:1:129: a: blocks are nested deeper than 32"],
  ])("refuses %j", (text, message) => expect(faultIn(text.slice(0, 200_000))).toBe(message));

  it("takes 100,000 lines in time that grows with them", () => {
    const text = "server 127.0.0.1:8080 weight=5;\n".repeat(100_000);
    expect(parseFile(text, "nginx.conf")).toHaveLength(100_000);
    expect(faultIn(`${"a;".repeat(500_001)}`)).toBe("nginx.conf:1:1000001: there are more than 500000 directives");
  });
});

describe("included files", () => {
  const directories: string[] = [];
  afterEach(async () => {
    for (const directory of directories.splice(0)) await rm(directory, { recursive: true });
  });
  const tree = async (files: Readonly<Record<string, string>>): Promise<string> => {
    const root = await mkdtemp(join(tmpdir(), "nginx-"));
    directories.push(root);
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), text);
    }
    return root;
  };
  const readTree = async (files: Readonly<Record<string, string>>) => {
    const root = await tree(files);
    try {
      return (await readDirectives(join(root, "nginx.conf"))).map(plain);
    } catch (error) {
      return (error as Error).message.replaceAll(root, "");
    }
  };

  it("stand in the place of the include, in the order of their names, relative to the first file", async () => {
    expect(
      await readTree({
        "nginx.conf": "a; http { include conf.d/*.conf; z; }",
        "conf.d/2.conf": "two; include snippets/s.conf;",
        "conf.d/1.conf": "one;",
        "conf.d/.hidden.conf": "hidden;",
        "conf.d/other.txt": "other;",
        "snippets/s.conf": "snippet;",
      }),
    ).toEqual([["a"], ["http", [["one"], ["two"], ["snippet"], ["z"]]]]);
  });

  it("may be none where a pattern stands for them, and must be there where a name does", async () => {
    expect(
      await readTree({ "nginx.conf": "include sites-enabled/*; include x[12]?.conf; a;", "x1y.conf": "b;", "x3y.conf": "c;" }),
    ).toEqual([["b"], ["a"]]);
    expect(await readTree({ "nginx.conf": "a;\n include missing.conf;" })).toMatch(/^\/nginx\.conf:2:2: include: .*missing\.conf.*ENOENT/);
  });

  it("are refused where they include each other", async () => {
    expect(await readTree({ "nginx.conf": "include a.conf;", "a.conf": "\ninclude nginx.conf;" })).toBe(
      "/a.conf:2:1: include: the files include each other: /nginx.conf → /a.conf → /nginx.conf",
    );
    expect(await readTree({ "nginx.conf": "include *.conf;" })).toMatch(/the files include each other/);
  });

  it("have their own lines in errors", async () => {
    expect(await readTree({ "nginx.conf": "include a.conf;", "a.conf": "b;\n  c }" })).toBe(
      '/a.conf:2:5: c: unexpected "}"; is ";" missing?',
    );
  });

  it("end at their bounds", async () => {
    const chain = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`${index}.conf`, `include ${index + 1}.conf;`]));
    expect(await readTree({ ...chain, "nginx.conf": "include 0.conf;" })).toMatch(/files include each other deeper than 32/);
    expect(await readTree({ "nginx.conf": "include 'a\\*b';" })).toEqual([]);
    expect(await readTree({ "nginx.conf": "include;" })).toBe("/nginx.conf:1:1: include: it takes one path");
  });
});
