// The sizes of the training step that is timed.

/** The sizes every side trains with. */
export interface Case {
  depth: number;
  batch: number;
  classes: number;
  threads: number;
}
