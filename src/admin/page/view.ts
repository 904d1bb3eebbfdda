import type { MeshSnapshot } from "../snapshot.ts";

/** The main part of the page. */
export interface View {
  readonly element: HTMLElement;
  /** The title of the window. */
  readonly title: string;
  /** Shows a new snapshot. */
  show(snapshot: MeshSnapshot): void;
  /** The colours have changed. */
  recolour?(): void;
  /** Another view takes its place: releases everything. */
  close(): void;
}
