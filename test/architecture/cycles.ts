/**
 * The cycles of a graph of files, one for each group of files that reach each other (Tarjan's strongly connected
 * components), sorted within.
 */
export function cyclesOf(edges: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  const order = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();

  const visit = (file: string): number => {
    const index = order.size;
    order.set(file, index);
    let low = index;
    stack.push(file);
    onStack.add(file);
    for (const target of edges.get(file) ?? []) {
      if (!order.has(target)) low = Math.min(low, visit(target));
      else if (onStack.has(target)) low = Math.min(low, order.get(target) ?? low);
    }
    if (low === index) {
      const group = stack.splice(stack.indexOf(file));
      for (const each of group) onStack.delete(each);
      if (group.length > 1 || edges.get(file)?.includes(file)) cycles.push(group.sort());
    }
    return low;
  };

  for (const file of edges.keys()) if (!order.has(file)) visit(file);
  return cycles;
}
