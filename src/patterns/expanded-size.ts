/** A count of repetitions: `{3}`, `{3,}`, `{3,5}`. */
const counted = /\{(\d+)(?:,(\d*))?\}/y;

/**
 * About how many instructions an expression compiles to: its atoms, each as often as it is repeated. Found without compiling it, since `(a{1,1000}){1,1000}` is short and
 * its program is not. It is rather too large than too small.
 */
export function expandedSize(source: string): number {
  /** The sizes of the groups that are open, the outermost first. */
  const open: number[] = [];
  let whole = 0;
  let last = 0;
  for (let at = 0; at < source.length; ) {
    const letter = source[at];
    let size = 1;
    if (letter === "(") {
      open.push(whole);
      whole = 0;
      last = 1;
      at++;
      continue;
    }
    if (letter === ")") {
      size = whole + 2;
      whole = open.pop() ?? 0;
      at++;
    } else if (letter === "{") {
      counted.lastIndex = at;
      const found = counted.exec(source);
      const times = found === null ? 1 : Math.max(Number(found[1]), Number(found[2] === "" ? found[1] : (found[2] ?? 0)), 1);
      size = found === null ? 1 : last * (times - 1);
      last = found === null ? 1 : last * times;
      whole += size;
      at += found === null ? 1 : found[0].length;
      continue;
    } else at = endOfAtom(source, at);
    whole += size;
    last = size;
  }
  return open.reduce((sum, size) => sum + size, whole);
}

/** Where the atom ends that begins at `at`: a letter, an escape, or a class. */
function endOfAtom(source: string, at: number): number {
  if (source[at] === "\\") return at + 2;
  if (source[at] !== "[") return at + 1;
  let end = at + 1;
  if (source[end] === "^") end++;
  // The first bracket in a class is a letter of it.
  if (source[end] === "]") end++;
  while (end < source.length && source[end] !== "]") end += source[end] === "\\" ? 2 : 1;
  return end + 1;
}
