/** The oldest Node.js that the package runs on, as `engines` of package.json has it: earlier ones lack fixes of TLS and HTTP/2. */
export const oldestNode = "22.23.0";

/** The sentence that says why the package does not run on this version of Node; `undefined` where it does. */
export function unsuitableNode(version: string): string | undefined {
  const wanted = numbersOf(oldestNode);
  const found = numbersOf(version);
  const differs = wanted.findIndex((part, index) => part !== found[index]);
  if (differs < 0 || (found[differs] ?? 0) > (wanted[differs] ?? 0)) return undefined;
  return `inmesh needs Node.js ${oldestNode} or later, and this is ${version}`;
}

function numbersOf(version: string): readonly number[] {
  return version.split(".").map((part) => Number.parseInt(part, 10));
}
