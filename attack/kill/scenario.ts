// A command that writes, and what its output must be like whenever it is killed.
import type { Kit } from './kit.js';

export interface Scenario {
  readonly name: string;
  /** The command's arguments; everything it writes goes below `out`. */
  args(kit: Kit, out: string): string[];
  /** The arguments to go on after a kill (default: the same command). */
  again?(kit: Kit, out: string): string[];
  /** The same command over other inputs: an older output, which is replaced. */
  older?(kit: Kit, out: string): string[];
  /** Environment of the command. */
  env?(kit: Kit, out: string): Record<string, string>;
  /**
   * The output grows while the command runs, so that files of a run that is not finished are neither old nor new. They
   * must not be torn, and going on must end where an undisturbed run ends.
   */
  readonly grows?: boolean;
  /** Files that are not compared: which checkpoints are there depends on where a run was stopped. */
  readonly ignore?: RegExp;
  /** Files that may be gone after a kill: copies of what another file holds, removed before that one is replaced. */
  readonly copies?: RegExp;
  /**
   * A command that reads the output where it consists of several files: it must refuse a mixture of old and new.
   */
  reads?(kit: Kit, out: string): string[];
}
