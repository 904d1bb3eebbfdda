/** One sample of a scrape. */
export interface ScrapedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** The labels of its exemplar. */
  readonly exemplar: Readonly<Record<string, string>> | undefined;
}

const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\.)*)"/g;
const line = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[^"]|"(?:[^"\\]|\\.)*")*?)\})? (\S+)(?: # \{(.*)\} (\S+) (\S+))?$/;

/** Reads the text of a scrape, in either format. Throws for a line that is none. */
export function samplesOf(text: string): readonly ScrapedSample[] {
  const lines = text.split("\n").filter((each) => each !== "" && !each.startsWith("#"));
  return lines.map((each) => {
    const [, name = "", labels, value, exemplar] = line.exec(each) ?? [];
    if (name === "") throw new Error(`no sample: ${each}`);
    return { name, labels: labelsIn(labels), value: numberOf(value), exemplar: exemplar === undefined ? undefined : labelsIn(exemplar) };
  });
}

/** The sum of the values of the samples with this name and these labels among theirs. */
export function total(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const found = samplesOf(text).filter(
    (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  return found.reduce((sum, { value }) => sum + value, 0);
}

function labelsIn(text = ""): Record<string, string> {
  const unescaped = (value: string) => value.replace(/\\(.)/g, (_whole, sign: string) => (sign === "n" ? "\n" : sign));
  return Object.fromEntries([...text.matchAll(label)].map(([, name, value = ""]) => [name, unescaped(value)]));
}

function numberOf(text: string | undefined): number {
  return text === "+Inf" ? Number.POSITIVE_INFINITY : text === "-Inf" ? Number.NEGATIVE_INFINITY : Number(text);
}
