import { importEnvoy, noticeText } from "../../envoy/envoy.ts";
import { importNginx } from "../../nginx/nginx.ts";

/** How a file of another program is taken. */
export interface ImportChoices {
  readonly retries: "as-nginx" | "inmesh" | undefined;
  readonly listen: string | undefined;
  readonly unsupported: "refuse" | "answer-501" | undefined;
}

/** A file of another program as the configuration of a mesh. */
export interface Imported {
  readonly data: Readonly<Record<string, unknown>>;
  /** A line for each part that means something else here, or nothing. */
  readonly notices: readonly string[];
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
    const { data, notices } = await importNginx(file, {
      // What is printed is for later, and maybe for another machine.
      names: "keep",
      clients: "served",
      ...(retries === undefined ? {} : { retries }),
      ...(listen === undefined ? {} : { listen }),
      ...(unsupported === undefined ? {} : { unsupported }),
    });
    return { data, notices: notices.map(({ where, directive, text }) => `${where}: ${directive}: ${text}`) };
  },
};

const envoy: ImportReader = {
  name: "envoy",
  recognises: (_file, text) =>
    /^[ \t{]*["']?(?:static_resources|dynamic_resources|node|admin|clusters|listeners|resources)["']?[ \t]*:/m.test(text),
  async read(file, { listen }) {
    const { data, notices } = await importEnvoy(file, listen === undefined ? {} : { listener: listen });
    return { data, notices: notices.map(noticeText) };
  },
};

/** The programs whose files are read. */
export const importReaders: readonly ImportReader[] = [nginx, envoy];
