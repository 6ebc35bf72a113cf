// The passes over faces that give a table's figures: LFW's pairs, YTF's videos, MegaFace's distractors, and the faces
// that were trained on. A pass exists where its data is given; a column without one says which flags would give it.
import { measureRun } from '../run.js';
import { openLfw } from './lfw-pass.js';
import { openMegaface } from './megaface-pass.js';
import { COLUMNS, type ColumnId, type ProtocolId, type Scale } from './paper-table.js';
import type { Pass, TestData } from './pass.js';
import { openYtf } from './ytf-pass.js';

/** The passes that the given data allows, and of each other protocol the flags that are missing. */
export interface Passes {
  passes: Map<ProtocolId, Pass>;
  missing: Map<ProtocolId, string>;
}

/** Opens the passes that these columns need. Throws a UserError for lists that cannot be read. */
export async function openPasses(
  columns: readonly ColumnId[],
  test: TestData,
  scale: Scale,
): Promise<Passes> {
  const passes: Passes['passes'] = new Map();
  const missing: Passes['missing'] = new Map();
  for (const id of new Set(columns.map((column) => COLUMNS[column].protocol))) {
    const found = await openers[id](test, scale);
    if (typeof found === 'string') missing.set(id, found);
    else passes.set(id, found);
  }
  return { passes, missing };
}

/** The angular Fisher score over a sample of the faces that were trained on; results.json of the run has it too. */
const trainingPass: Pass = {
  key: 'training faces',
  async measure(folder, { device, threads }) {
    const { trained } = await measureRun(folder, { device, ...(threads && { threads }) });
    return {
      figures: { 'fisher-training': trained.angularFisher },
      about: {
        'fisher-training': `${trained.images} images of ${trained.people} people that were trained on, drawn by the seed`,
      },
    };
  },
};

const openers: Record<ProtocolId, (test: TestData, scale: Scale) => Promise<Pass | string>> = {
  training: async () => trainingPass,
  lfw: openLfw,
  megaface: openMegaface,
  ytf: openYtf,
};
