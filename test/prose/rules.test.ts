import ts from "typescript";
import { describe, expect, it } from "vitest";
import { readPage } from "../docs/markdown.ts";
import { commentsOf } from "./comments.ts";
import { deadLinksOf, deadNamesOf, deadTextsOf, exportedNamesOf, knownNames, namesInScopeOf } from "./names.ts";
import { deadOptionsOf, optionGroupsOf } from "./options.ts";
import { type Finding, type Paragraph, paragraphsOfComments, paragraphsOfPage } from "./paragraphs.ts";
import { deadPathsOf, pronounsOf, riddlesOf } from "./rules.ts";

const sourceOf = (text: string): ts.SourceFile => ts.createSourceFile("x.ts", text, ts.ScriptTarget.Latest, true);
const inComments = (text: string): readonly Paragraph[] => paragraphsOfComments("src/x.ts", commentsOf(sourceOf(text)));
const onPage = (text: string): readonly Paragraph[] => paragraphsOfPage("docs/x.md", readPage(text));
const each = (paragraphs: readonly Paragraph[], rule: (paragraph: Paragraph) => readonly Finding[]) => paragraphs.flatMap(rule);

describe("comments", () => {
  it("are found wherever they stand, and nowhere else", () => {
    const text = [
      "#!/usr/bin/env node",
      "// one",
      "// goes on",
      'const url = "http://nobody"; // two',
      "const pattern = /\\/\\/ nobody/;",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a source
      "const template = `// nobody ${/* three */ url} // nobody`;",
      "/** four */",
      "export const four = { /* five */ url, pattern };",
      "/**",
      " * six",
      " *",
      " * seven",
      " */",
      "function six(/* eight */) {",
      "  // nine",
      "}",
      "// ten",
    ].join("\n");
    const found = commentsOf(sourceOf(text)).map(
      ({ text: comment, line, kind }) => `${line} ${kind} ${comment.trim().replace(/\n+/g, "/")}`,
    );
    expect(found).toEqual([
      "2 line one/goes on",
      "4 line two",
      "6 block three",
      "7 doc four",
      "8 block five",
      "9 doc six/seven",
      "14 block eight",
      "15 line nine",
      "17 line ten",
    ]);
  });

  it("are read by paragraph, without their code", () => {
    const found = inComments(
      "/**\n * One,\n * still one.\n *\n * ```ts\n * nobody();\n * ```\n * @returns two\n */\nexport const x = 1;\n",
    );
    expect(found.map(({ line, text }) => [line, text])).toEqual([
      [2, "One,\nstill one."],
      [8, "@returns two"],
    ]);
  });
});

describe("a pronoun of people", () => {
  it.each([
    ["// Whoever waits is told.\n", "src/x.ts:1", "Whoever waits is told."],
    ["/** The first.\n * Nobody reads it. The last. */\nexport const x = 1;\n", "src/x.ts:2", "Nobody reads it."],
    ["/** A list of who is in. */\nexport const x = 1;\n", "src/x.ts:1", "A list of who is in."],
    ["const x = 1; // for everybody-else\n// and for anyone\n", "src/x.ts:2", "for everybody-else and for anyone"],
  ])("is found in a comment: %j", (text, at, sentence) => {
    expect(each(inComments(text), pronounsOf)).toEqual([{ at, sentence, reason: expect.stringContaining("name it") }]);
  });

  it.each([
    [
      "# A\n\nOne sentence here, and\nsomebody in the next line. More.\n",
      "docs/x.md:4",
      "One sentence here, and somebody in the next line.",
    ],
    ["| a | b |\n|---|---|\n| `x` | for anybody |\n", "docs/x.md:3", "for anybody |"],
    ["- one\n- no one\n", "docs/x.md:2", "- no one"],
    ["## Who is a candidate\n", "docs/x.md:1", "## Who is a candidate"],
  ])("is found on a page: %j", (text, at, sentence) => {
    expect(each(onPage(text), pronounsOf)).toEqual([{ at, sentence, reason: expect.stringContaining("name it") }]);
  });

  it.each([
    "A body whose end is missing.",
    "`nobody` is the user; so says `who\nami`.",
    'The log says "nobody is there" then.',
    "[the page](nobody.md) and <!-- nobody --> nothing",
    "```ts\nconst nobody = 1;\n```",
    "a whole one, sometime, anyway, everyday",
  ])("is none in %j", (text) => {
    expect(each(onPage(`# Page\n\n${text}\n`), pronounsOf)).toEqual([]);
  });
});

describe("a doc comment that begins with a riddle", () => {
  it.each([
    ["/** What a pool knows. */", 'begins with "What"'],
    ["/** What a {@link Pool} needs. */", 'begins with "What a {@link X} needs"'],
    ["/**\n * What\n * it was. */", 'begins with "What"'],
  ])("is found: %j", (comment, reason) => {
    const found = each(inComments(`export class A {\n  ${comment}\n  a = 1;\n}\n`), riddlesOf);
    expect(found.map((finding) => finding.reason)).toEqual([expect.stringContaining(reason)]);
  });

  it.each([
    "/** Whatever it costs. */",
    "/** The reason: What a pool knows. */",
    "// What follows is only there to try it.",
    "/* What? */",
  ])("is none: %j", (comment) => {
    expect(each(inComments(`${comment}\nexport const x = 1;\n`), riddlesOf)).toEqual([]);
  });
});

describe("a {@link}", () => {
  const other = sourceOf("export class Pool { readonly size = 1; close(): void {} }\nexport const limits = { max: 1 };\nclass Hidden {}\n");
  const linksOf = (text: string) => {
    const source = sourceOf(text);
    const known = knownNames([source, other]);
    const exported = new Set(exportedNamesOf(other));
    return each(inComments(text), (paragraph) => deadLinksOf(paragraph, namesInScopeOf(source), exported, known)).map(
      ({ reason }) => reason,
    );
  };

  it.each([
    "/** See {@link Pool}, {@link Pool.size}, {@link Pool.close | how it ends}, {@link limits.max} and {@link own}. */\nexport function own() {}\n",
    'import { Hidden as Known } from "./other.ts";\n/** {@link Known} */\nexport type A = Known;\n',
    "export interface A {\n  a: string;\n  /** As {@link a}. */\n  b: string;\n}\n",
    "/** {@link https://example.com/Nothing} */\nexport const x = 1;\n",
  ])("to a name that exists is none: %j", (text) => {
    expect(linksOf(text)).toEqual([]);
  });

  it.each([
    ["{@link Gone}", "{@link Gone}: no such name"],
    ["{@link Hidden}", "{@link Hidden}: no such name"],
    ["{@link Pool.length}", "Pool has no member length"],
    ["{@linkcode Gone.size}", "{@link Gone.size}: no such name"],
  ])("to one that does not is found: %s", (link, reason) => {
    expect(linksOf(`/** See ${link}. */\nexport const x = 1;\n`)).toEqual([reason]);
  });
});

describe("a name in `code`", () => {
  const known = knownNames([
    sourceOf('export function createMesh(o: { maxAttempts: number }) { return "x-mesh-refused inmesh.client.calls ERR_MESH_CLOSED"; }\n'),
  ]);
  const reasonsOf = (text: string) =>
    each(onPage(text), (paragraph) => [...deadNamesOf(paragraph, known), ...deadTextsOf(paragraph, known)]).map(({ reason }) => reason);

  it.each([
    "`createMesh()`, `createMesh({ a: 1 })`, `retry.maxAttempts`, `maxAttempts`",
    "`createMesh.ts`, `someFile.yaml`, `a-b`, `retry`, `Retry-After`, `GET /v1/fooBar`, `--dryRun`, `fooBar: 1`",
    "`ERR_MESH_CLOSED`, `x-mesh-refused: 1`, `inmesh.client.calls`",
  ])("that code has is none: %s", (text) => {
    expect(reasonsOf(text)).toEqual([]);
  });

  it.each([
    ["`makeMesh()`", "no code has the name makeMesh"],
    ["`mesh.close()`", "no code has the name close"],
    ["`retry.maxTries`", "no code has the name maxTries"],
    ["`MeshThing`", "no code has the name MeshThing"],
    ["ERR_MESH_GONE", "no code has ERR_MESH_GONE"],
    ["`x-mesh-gone`", "no code has x-mesh-gone"],
    ["`inmesh.client.gone`", "no code has inmesh.client.gone"],
  ])("that it has not is found: %s", (text, reason) => {
    expect(reasonsOf(text)).toEqual([reason]);
  });
});

describe("an option in `code`", () => {
  const tables =
    "## A call\n\n| `timeoutMs` | | x |\n\n## Groups\n\n### retry\n\n| [`budget`](#retrybudget) | | x |\n\n### retry.budget\n\n| `ratio` | | x |\n";
  const groups = optionGroupsOf(readPage(tables));
  const reasonsOf = (text: string) => each(onPage(text), (paragraph) => deadOptionsOf(paragraph, groups)).map(({ reason }) => reason);

  it.each(["`retry.budget`", "`retry.budget.ratio`", "`init.mesh.timeoutMs: 100`", "`other.thing`, `request.route`", "`retry`"])(
    "that there is, is none: %s",
    (text) => {
      expect(reasonsOf(text)).toEqual([]);
    },
  );

  it.each([
    ["`retry.attempts`", "there is no option retry.attempts"],
    ["`retry.budget.percent: 3`", "there is no option retry.budget.percent"],
    ["`init.mesh.retries`", "there is no option init.mesh.retries"],
  ])("that there is not, is found: %s", (text, reason) => {
    expect(reasonsOf(text)).toEqual([reason]);
  });
});

describe("a path", () => {
  const deadIn = (text: string) =>
    each(onPage(text), (paragraph) => deadPathsOf(paragraph, ["wire"], (path) => path === "src/wire/pools.ts" || path === "docs")).map(
      ({ reason }) => reason,
    );

  it.each([
    "`src/wire/pools.ts`",
    "`wire/pools.ts`",
    "`src/policies/NAME.ts`",
    "`test/chaos/Fnn.ts`",
    "docs/api",
    "[a](docs/gone.md)",
    "`wire/`",
  ])("that is there, or stands for many, is none: %s", (text) => {
    expect(deadIn(text)).toEqual([]);
  });

  it.each([
    ["`src/wire/gone.ts`", "there is no src/wire/gone.ts"],
    ["see docs/gone.md.", "there is no docs/gone.md"],
    ["`wire/gone.ts`", "there is no wire/gone.ts"],
    ["run `node bench/gone.ts`", "there is no bench/gone.ts"],
  ])("that leads nowhere is found: %s", (text, reason) => {
    expect(deadIn(text)).toEqual([reason]);
  });
});
