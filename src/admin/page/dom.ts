// All elements of the page are made here, from text and never from HTML, since names and error texts come from outside.

type Child = Node | string | undefined;

/** Attributes by name; `undefined` and `false` leave one out. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** Makes an HTML element. */
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

/** Makes an SVG element. */
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

/** Sets the attributes that differ. */
export function setAttributes(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** Sets a text if it differs: an unchanged one costs no layout. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** A name, which may go on in the next line behind each of its parts: names of services have no spaces. */
export function breakable(name: string): readonly Child[] {
  return name.split(/(?<=[-._/:@])/).flatMap((part, index) => (index === 0 ? [part] : [el("wbr"), part]));
}

/** The element of one item of a list. */
export interface Part<Item> {
  readonly element: Element;
  update(item: Item): void;
}

/** Keeps the elements of a list in step with its items: each is made once per key, moved to its place, and removed with its item. */
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

  /** Shows exactly these items, in this order. */
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
