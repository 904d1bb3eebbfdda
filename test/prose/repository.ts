import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { roomOf, rooms } from "../architecture/rooms.ts";
import { readPages, root, textOf } from "../docs/pages.ts";
import { commentsOf } from "./comments.ts";
import { foreignNames } from "./exceptions.ts";
import { deadLinksOf, deadNamesOf, deadTextsOf, exportedNamesOf, knownNames, namesInScopeOf } from "./names.ts";
import { deadOptionsOf, optionGroupsOf } from "./options.ts";
import { type Finding, type Paragraph, paragraphsOfComments, paragraphsOfPage } from "./paragraphs.ts";
import { deadPathsOf, pronounsOf, riddlesOf } from "./rules.ts";

/** The findings by room of `src` and by page, examples among them; rooms and pages without a finding are included. */
export interface ProseReport {
  readonly rooms: ReadonlyMap<string, readonly Finding[]>;
  readonly pages: ReadonlyMap<string, readonly Finding[]>;
  /** Those of the excepted names that are in the prose. */
  readonly foreignNames: ReadonlySet<string>;
}

/** Looks at the comments of all sources and examples, and at all pages. */
export function lintRepository(): ProseReport {
  const sources = new Map(["src", "examples", "docs"].flatMap(programsIn).map((path) => [path, parse(path, textOf(path))]));
  const pages = readPages();
  const blocks = [...pages].flatMap(([path, page]) =>
    page.blocks.filter(({ language }) => language === "ts").map(({ code }) => parse(path, code)),
  );
  const known = knownNames([...sources.values(), ...blocks]);
  const words = new Set([...known.words, ...foreignNames.keys()]);
  const exported = new Set([...sources.values()].flatMap(exportedNamesOf));
  const folders = [...new Set([...rooms.keys()].map((room) => room.split("/")[0] ?? room))].filter((room) => room !== "index");
  const optionsPage = pages.get("docs/reference/options.md");
  const groups = optionsPage === undefined ? new Map() : optionGroupsOf(optionsPage);
  const exists = (path: string): boolean => existsSync(join(root, path));

  const foreign = new Set<string>();
  const inBoth = (paragraph: Paragraph): readonly Finding[] => {
    for (const name of foreignNames.keys()) if (paragraph.text.includes(name)) foreign.add(name);
    return [
      ...pronounsOf(paragraph),
      ...deadNamesOf(paragraph, { words }),
      ...deadTextsOf(paragraph, { words }),
      ...deadOptionsOf(paragraph, groups),
      ...deadPathsOf(paragraph, folders, exists),
    ];
  };
  const byRoom = new Map<string, Finding[]>([...rooms.keys()].map((room) => [room, []]));
  for (const [path, source] of sources) {
    if (!path.startsWith("src/")) continue;
    const inScope = namesInScopeOf(source);
    const findings = paragraphsOfComments(path, commentsOf(source)).flatMap((paragraph) => [
      ...inBoth(paragraph),
      ...riddlesOf(paragraph),
      ...deadLinksOf(paragraph, inScope, exported, known),
    ]);
    byRoom.get(roomOf(path.slice("src/".length)))?.push(...findings);
  }
  const byPage = [...pages].map(([path, page]) => {
    const paragraphs = paragraphsOfPage(path, page);
    return [path, (path === "CHANGELOG.md" ? paragraphs.map(withoutOldNames) : paragraphs).flatMap(inBoth)] as const;
  });
  const byExample = [...sources].flatMap(([path, source]) =>
    path.startsWith("examples/") ? [[path, paragraphsOfComments(path, commentsOf(source)).flatMap(inBoth)] as const] : [],
  );
  return { rooms: byRoom, pages: new Map([...byPage, ...byExample]), foreignNames: foreign };
}

/** One line for each finding. */
export function linesOf(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ at, reason, sentence }) => `${at}: ${reason}: ${sentence}`);
}

/** A row of the tables of what was renamed, without its first cell: old names are gone from the code. */
function withoutOldNames(paragraph: Paragraph): Paragraph {
  return { ...paragraph, text: paragraph.text.replace(/^\|[^|]*(?=\|)/, (cell) => " ".repeat(cell.length)) };
}

function programsIn(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".ts"));
}

function parse(path: string, text: string): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}
