import { join } from "node:path";
import ts from "typescript";

const root = join(import.meta.dirname, "..");

/** The doc comment of an option in its interface, as an editor shows it. */
export interface OptionComment {
  /** The comment without its tags, on one line. */
  readonly sentence: string;
  /** The text of `@default`; `undefined` without the tag. */
  readonly defaultTag: string | undefined;
}

/** The compiler's view of sources, by their paths from the root. */
export function programOf(files: readonly string[]): ts.Program {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, files, include: [] }, ts.sys, root);
  return ts.createProgram(
    files.map((file) => join(root, file)),
    options,
  );
}

/** The comments of the options of an interface and of the groups in it; found by the compiler, whatever the options are derived from. */
export class OptionComments {
  readonly #checker: ts.TypeChecker;
  readonly #type: ts.Type;

  /**
   * @param program of {@link programOf}
   * @param file the source that exports `name`, by its path from the root
   */
  constructor(program: ts.Program, file: string, name: string) {
    this.#checker = program.getTypeChecker();
    const source = program.getSourceFile(join(root, file));
    const module = source && this.#checker.getSymbolAtLocation(source);
    const exported = module?.exports?.get(name as ts.__String);
    if (exported === undefined) throw new Error(`${file} exports no ${name}`);
    this.#type = this.#checker.getDeclaredTypeOfSymbol(exported);
  }

  /** The comment of an option: `["retry", "budget", "ratio"]`. */
  of(path: readonly string[]): OptionComment {
    let type = this.#type;
    let option: ts.Symbol | undefined;
    for (const name of path) {
      option = this.#propertyOf(type, name);
      if (option === undefined) throw new Error(`no type has the option ${path.join(".")}`);
      type = this.#checker.getTypeOfSymbol(option);
    }
    const tag = option?.getJsDocTags(this.#checker).find(({ name }) => name === "default");
    return {
      sentence: onOneLine(option?.getDocumentationComment(this.#checker)),
      defaultTag: tag && onOneLine(tag.text),
    };
  }

  /** A property of a type, of the elements of a list, or of one of those that it is a union of: groups may be `false` too. */
  #propertyOf(type: ts.Type, name: string): ts.Symbol | undefined {
    const types = type.isUnion() ? type.types : [type];
    const elements = types.flatMap((each) =>
      this.#checker.isArrayLikeType(each) ? (this.#checker.getIndexTypeOfType(each, ts.IndexKind.Number) ?? []) : [],
    );
    // Elements first: a list, or an object that gives such lists, may stand beside each other.
    const values = types.flatMap((each) => this.#checker.getIndexTypeOfType(each, ts.IndexKind.String) ?? []);
    const found = [...elements, ...values].map((each) => this.#propertyOf(each, name)).find((each) => each !== undefined);
    return found ?? types.map((each) => each.getProperty(name)).find((each) => each !== undefined);
  }
}

function onOneLine(parts: ts.SymbolDisplayPart[] | undefined): string {
  return ts
    .displayPartsToString(parts)
    .replace(/\{@link\s+([^}\s|]+)[^}]*\}/g, "`$1`")
    .replace(/\s+/g, " ")
    .trim();
}
