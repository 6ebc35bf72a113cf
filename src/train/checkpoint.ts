// Checkpoints that survive being killed at any moment. A checkpoint is a folder with the tensors
// (safetensors) and everything else (JSON, with the tensors' hash). It is written under a temporary name,
// forced to disk and renamed, so that a folder named `checkpoint-...` is whole or was damaged later.
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeAllSync } from '../common/files.js';
import { systemError } from '../common/system-error.js';
import { readSafetensors, writeSafetensors } from '../data/index.js';
import type { ClassFile } from './class-rows.js';

/** How many checkpoints a run keeps. */
export const CHECKPOINTS_KEPT = 3;

const TENSORS = 'state.safetensors';
const PROGRESS = 'progress.json';
const TEMPORARY = '.tmp';

const progressSchema = z.object({
  format: z.literal('hypersphere-checkpoint/1'),
  /** Steps done. */
  step: z.number().int().nonnegative(),
  /** Seconds trained so far, over all sittings. */
  seconds: z.number().nonnegative(),
  /** SHA-256 of the tensors' file. */
  sha256: z.string(),
  /** Files with what belongs to single classes, of a run whose ranks share them out. */
  classes: z
    .array(z.object({ file: z.string(), from: z.number(), to: z.number(), sha256: z.string() }))
    .optional(),
});

/** A moment of a run: weights and velocities by name in logical layout, and the step they belong to. */
export interface Checkpoint {
  step: number;
  seconds: number;
  state: Map<string, Float32Array>;
}

/** A checkpoint as it was found in a folder. */
export interface FoundCheckpoint extends Checkpoint {
  /** Where what belongs to single classes lies, if it is not part of `state`. */
  classes: readonly ClassFile[];
  /** Its folder. */
  path: string;
}

/** The folder name of the checkpoint of a step. */
export const checkpointName = (step: number): string => `checkpoint-${String(step).padStart(7, '0')}`;

/** Names of the finished checkpoints of a folder, newest first. */
export function checkpointNames(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /^checkpoint-\d+$/.test(name))
    .sort()
    .reverse();
}

function writeDurably(file: string, bytes: Uint8Array): void {
  try {
    const handle = openSync(file, 'wx');
    try {
      writeAllSync(handle, bytes);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    throw systemError(file, error);
  }
}

/** Forces a folder's entries to disk; Windows has no such call and needs none. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

/** Makes the folder in which a checkpoint is written, empty; returns its path. */
export function startCheckpoint(folder: string, step: number): string {
  mkdirSync(folder, { recursive: true });
  removeUnfinished(folder);
  const temporary = join(folder, checkpointName(step)) + TEMPORARY;
  mkdirSync(temporary);
  return temporary;
}

/**
 * Writes a checkpoint into `folder` and removes all but the newest `CHECKPOINTS_KEPT`. `shapes` gives the
 * shape of every tensor of the state. Files of classes have been written before, after `startCheckpoint`.
 */
export function saveCheckpoint(
  folder: string,
  checkpoint: Checkpoint & Partial<Pick<FoundCheckpoint, 'classes'>>,
  shapes: Map<string, readonly number[]>,
): void {
  const { classes = [] } = checkpoint;
  const path = join(folder, checkpointName(checkpoint.step));
  const temporary = classes.length > 0 ? path + TEMPORARY : startCheckpoint(folder, checkpoint.step);
  const tensors = writeSafetensors(
    new Map(
      [...checkpoint.state].map(([name, data]) => [
        name,
        {
          dtype: 'float32' as const,
          shape: [...(shapes.get(name) ?? [data.length])],
          data,
        },
      ]),
    ),
  );
  writeDurably(join(temporary, TENSORS), tensors);
  const progress: z.infer<typeof progressSchema> = {
    format: 'hypersphere-checkpoint/1',
    step: checkpoint.step,
    seconds: checkpoint.seconds,
    sha256: createHash('sha256').update(tensors).digest('hex'),
    ...(classes.length > 0 && { classes: [...classes] }),
  };
  writeDurably(join(temporary, PROGRESS), Buffer.from(`${JSON.stringify(progress, null, 2)}\n`));
  syncFolder(temporary);
  rmSync(path, { recursive: true, force: true });
  renameSync(temporary, path);
  syncFolder(folder);
  for (const old of checkpointNames(folder).slice(CHECKPOINTS_KEPT))
    rmSync(join(folder, old), { recursive: true });
}

/** Removes what a killed process left half written. */
function removeUnfinished(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.endsWith(TEMPORARY)) rmSync(join(folder, name), { recursive: true });
  }
}

/** Reads one checkpoint folder; throws an `Error` that says what is wrong with a damaged one. */
export function readCheckpoint(path: string): FoundCheckpoint {
  const progress = progressSchema.parse(JSON.parse(readFileSync(join(path, PROGRESS), 'utf8')));
  const bytes = readFileSync(join(path, TENSORS));
  if (createHash('sha256').update(bytes).digest('hex') !== progress.sha256) {
    throw new Error(`${TENSORS} does not match the hash in ${PROGRESS}`);
  }
  const state = new Map<string, Float32Array>();
  for (const [name, tensor] of readSafetensors(bytes).tensors) state.set(name, tensor.data as Float32Array);
  const { step, seconds, classes = [] } = progress;
  const missing = classes.find(({ file }) => !existsSync(join(path, file)));
  if (missing) throw new Error(`${missing.file} is missing`);
  return { step, seconds, state, classes, path };
}

/** The newest whole checkpoint of a folder; `report` hears of each damaged one that is passed over. */
export function newestCheckpoint(
  folder: string,
  report: (line: string) => void,
): FoundCheckpoint | undefined {
  for (const name of checkpointNames(folder)) {
    try {
      return readCheckpoint(join(folder, name));
    } catch (error) {
      report(`${join(folder, name)} is damaged and passed over: ${(error as Error).message.split('\n')[0]}`);
    }
  }
  return undefined;
}
