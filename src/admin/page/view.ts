import type { MeshSnapshot } from "../snapshot.ts";

/** What is shown in the page's middle. */
export interface View {
  readonly element: HTMLElement;
  /** Goes into the window's title. */
  readonly title: string;
  /** A new second. */
  show(snapshot: MeshSnapshot): void;
  /** The colours have changed. */
  recolour?(): void;
  /** Another view takes its place. */
  close(): void;
}
