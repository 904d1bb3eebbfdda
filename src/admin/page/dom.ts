// Everything on the page is made here: as elements and text, never out of HTML. Names and error texts come from anywhere.

type Child = Node | string | undefined;

/** Attributes by name; `undefined` and `false` leave one out. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** An HTML element. */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  setAttributes(element, attributes);
  for (const child of children) if (child !== undefined) element.append(child);
  return element;
}

/** An SVG element. */
export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAttributes(element, attributes);
  for (const child of children) if (child !== undefined) element.append(child);
  return element;
}

/** Sets attributes that differ. */
export function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** Sets a text that differs: what stays as it is costs no layout. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** A row, card or other part of a list. */
export interface Part<Item> {
  readonly element: Element;
  update(item: Item): void;
}

/** The parts of a list that follow its items: made once for each key, moved where the order asks for it, and removed with their item. */
export class Parts<Item> {
  readonly #parent: Element;
  readonly #keyOf: (item: Item) => string;
  readonly #make: (item: Item) => Part<Item>;
  #parts = new Map<string, Part<Item>>();

  constructor(parent: Element, keyOf: (item: Item) => string, make: (item: Item) => Part<Item>) {
    this.#parent = parent;
    this.#keyOf = keyOf;
    this.#make = make;
  }

  /** Shows exactly these. */
  show(items: readonly Item[]): void {
    const before = this.#parts;
    this.#parts = new Map();
    let at = this.#parent.firstElementChild;
    for (const item of items) {
      const key = this.#keyOf(item);
      const part = before.get(key) ?? this.#make(item);
      before.delete(key);
      this.#parts.set(key, part);
      part.update(item);
      if (part.element === at) at = at.nextElementSibling;
      else this.#parent.insertBefore(part.element, at);
    }
    for (const { element } of before.values()) element.remove();
  }
}
