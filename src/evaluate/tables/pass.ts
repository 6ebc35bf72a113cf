// What a pass over test faces is, and what passes share: a model on a folder, and how its faces are aligned.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type FaceSource, sourceOfModel } from '../../face/index.js';
import type { DeviceName } from '../../runtime/index.js';
import { FILES } from '../../train/index.js';
import type { Measurement } from './outcome.js';

/** The test faces, as the command line names them. */
export interface TestData {
  lfw?: string;
  pairs?: string;
  ytf?: string;
  splits?: string;
  probes?: string;
  distractors?: string;
}

export interface MeasureHooks {
  device: DeviceName;
  threads?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Hears of images embedded. */
  onProgress?(done: number, total: number): void;
}

/** A pass over test faces with the model of a run folder. */
export interface Pass {
  key: string;
  measure(folder: string, hooks: MeasureHooks): Promise<Omit<Measurement, 'key'>>;
}

/** Names data in few letters. */
export const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** A model on a folder, closed afterwards; stops between batches when the signal is aborted. */
export async function withModel<T>(
  run: string,
  folder: string,
  { device, threads }: MeasureHooks,
  work: (source: FaceSource) => Promise<T>,
  { nested = false } = {},
): Promise<T> {
  const source = await sourceOfModel(join(run, FILES.model), folder, {
    device,
    nested,
    ...(threads && { threads }),
  });
  return work(source).finally(() => source.close());
}

export const count = (n: number): string => n.toLocaleString('en');

/** Hooks that hear of progress, and stop at the signal. */
export const following = ({ signal, onProgress }: Pick<MeasureHooks, 'signal' | 'onProgress'>) => ({
  onProgress(done: number, total: number) {
    signal?.throwIfAborted();
    onProgress?.(done, total);
  },
});

export const alignmentOf = ({ facts }: FaceSource): { alignment?: string } => {
  const found = facts.find(([name]) => name === 'Alignment');
  return found ? { alignment: found[1] } : {};
};
