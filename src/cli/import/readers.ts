import { importEnvoy, noticeText } from "../../envoy/envoy.ts";
import { importNginx } from "../../nginx/nginx.ts";
import { readNamedFile } from "../named-file.ts";
import { plain } from "../terminal/plain.ts";
import { UsageError } from "../usage-error.ts";

/** How a file of another program is taken. */
export interface ImportChoices {
  readonly retries: "as-nginx" | "inmesh" | undefined;
  readonly listen: string | undefined;
  readonly unsupported: "refuse" | "answer-501" | undefined;
  /** The source of endpoints of clusters that have none. */
  readonly discovery: string | undefined;
}

/** A file of another program as the configuration of a mesh. */
export interface Imported {
  readonly data: Readonly<Record<string, unknown>>;
  /** A line for each part that means something else here, or nothing. */
  readonly notices: readonly string[];
  /** The file in the form that the current version of the program takes. */
  readonly current?: Readonly<Record<string, unknown>>;
  /** The file and those that it leads to. */
  readonly files: readonly string[];
  /** Where it listens, as far as the program says that in one place. */
  readonly listen?: { readonly host: string; readonly port: number } | undefined;
}

/** Reads files of one program. */
export interface ImportReader {
  /** As it is called in messages: `nginx`. */
  readonly name: string;
  /** Whether a file is one of that program, by its name and its text. */
  recognises(file: string, text: string): boolean;
  read(file: string, choices: ImportChoices): Promise<Imported>;
}

const nginx: ImportReader = {
  name: "nginx",
  recognises: (file, text) =>
    !/\.(?:ya?ml|json)$/.test(file) && /^[ \t]*(?:http|server|upstream|events|location|include)\b[^\n:]*[{;]/m.test(text),
  async read(file, { retries, listen, unsupported }) {
    const { data, notices, files } = await importNginx(file, {
      // What is printed is for later, and maybe for another machine.
      names: "keep",
      clients: "served",
      ...(retries === undefined ? {} : { retries }),
      ...(listen === undefined ? {} : { listen }),
      ...(unsupported === undefined ? {} : { unsupported }),
    });
    return { data, files, notices: notices.map(({ where, directive, text }) => `${where}: ${directive}: ${text}`) };
  },
};

const envoy: ImportReader = {
  name: "envoy",
  recognises: (_file, text) =>
    /^[ \t{]*["']?(?:static_resources|dynamic_resources|node|admin|clusters|listeners|resources)["']?[ \t]*:/m.test(text),
  async read(file, { listen, discovery }) {
    const {
      data,
      notices,
      v3,
      files,
      listen: address,
    } = await importEnvoy(file, {
      ...(listen === undefined ? {} : { listener: listen }),
      ...(discovery === undefined ? {} : { discovery }),
    });
    return { data, notices: notices.map(noticeText), current: v3, files, listen: address };
  },
};

/** The programs whose files are read. */
export const importReaders: readonly ImportReader[] = [nginx, envoy];

/** Bytes of a file of which its kind is seen. */
const maxBytes = 33_554_432;

/**
 * The reader of a file, by the name of its program, else by its name and text.
 * Rejects with a UsageError for a file of no program that is known.
 */
export async function readerOf(file: string, from: string | undefined): Promise<ImportReader> {
  const text = (await readNamedFile(file, maxBytes)).toString("utf8");
  const found = importReaders.find((reader) => (from === undefined ? reader.recognises(file, text) : reader.name === from));
  if (found !== undefined) return found;
  throw new UsageError(
    `${plain(file)} is of no program that is known; say --from ${importReaders.map(({ name }) => name).join(" or --from ")}`,
  );
}
