// hypersphere evaluate ijb: templates of many images, verified and searched by the protocols of IJB-B and IJB-C.
import { Command } from 'commander';
import { UserError } from '../../common/errors.js';
import { type IjbImages, readIjb } from '../../data/ijb.js';
import { ijbFars, ijbFpirs, ijbSearch, ijbVerification } from '../../evaluate/ijb/ijb.js';
import { ijbNotes, summarisePairs, summariseSearch } from '../../evaluate/ijb/summary.js';
import { TemplateSums } from '../../evaluate/ijb/templates.js';
import { type Fusion, fuse, type SummaryRow, type Templates } from '../../evaluate/index.js';
import type { FaceSource } from '../../face/index.js';
import { listed, whole } from '../flags.js';
import { timedProgress } from '../output.js';
import { led } from '../ranks.js';
import { checkReport, evaluatedModel, finish } from './finish.js';
import { rates } from './open-set.js';
import { openSource, SOURCES, type SourceFlags, sourceNotes, withSourceFlags } from './source-flags.js';

const HELP = `
The metadata, with the prefix ijbb_ or ijbc_, as InsightFace and NIST distribute them:
  face_tid_mid.txt                       image, template, medium
  template_pair_label.txt                pairs of templates for 1:1
  1N_gallery_G1.csv, G2 (S1, S2), 1N_probe_mixed.csv     TEMPLATE_ID and SUBJECT_ID for 1:N
The features of a medium's images are averaged as the network gave them, the media added, the sum scaled to unit
length. Each gallery is searched on its own, where probes of the other's people are non-mated; figures of 1:N are the
average of both. --detector-scores weighs every image by the last column of name_5pts_score.txt, as InsightFace's
published figures do. The images of loose_crop are not aligned; with the points of that file they are by
  awk -v OFS='\\t' '{ NF = 11; $1 = $1; print }' meta/ijbc_name_5pts_score.txt > points.tsv
  hypersphere align --data loose_crop --out aligned --landmarks points.tsv
${SOURCES.trim()}

Examples:
  hypersphere evaluate ijb --model model.onnx --data aligned --meta meta --keep ijbc.features --report ijbc
  hypersphere evaluate ijb --embeddings ijbc.safetensors --meta meta --json`;

interface Flags extends SourceFlags {
  meta: string;
  detectorScores?: boolean;
  fpir: number[];
  rank: number;
  seed: number;
  replicates?: number;
}

export function ijbCommand(): Command {
  const command = new Command('ijb')
    .description('templates of IJB-B or IJB-C, verified (1:1) and searched (1:N)')
    .requiredOption('--meta <dir>', 'folder of the metadata')
    .option('--detector-scores', "weigh every image by the detector's score")
    .addOption(listed('--fpir <p,p>', 'false positive identification rates of 1:N', rates, ijbFpirs))
    .option('--rank <r>', 'a mate counts among the first r candidates', whole(1), 1)
    .option('--seed <n>', 'of the intervals', whole(0), 1)
    .option(
      '--replicates <n>',
      'draws for the intervals; 0 for none (default: 1000, of 1:1 200 above two million pairs)',
      whole(0),
    );
  return withSourceFlags(command, 'folder of the aligned faces, named as in the metadata')
    .addHelpText('after', HELP)
    .action(led(run));
}

async function run(flags: Flags): Promise<void> {
  const started = performance.now();
  const { fpir, rank, seed, detectorScores } = flags;
  checkReport(flags);
  const meta = await readIjb(flags.meta, { detectorScores });
  const { images, pairs, search } = meta;
  const source = await openSource(flags);
  try {
    const fusion = flags.flip ?? source.fusion;
    const templates = await templatesOf(source, meta, fusion);
    const summary: SummaryRow[] = [];
    const notes = sourceNotes(source);
    const drawn: string[] = [];
    const verified =
      pairs &&
      ijbVerification(templates, pairs, meta.subjectOf, {
        fars: ijbFars,
        replicates: flags.replicates ?? (pairs.same.length > 2e6 ? 200 : 1000),
        seed,
      });
    if (verified) {
      summary.push(...summarisePairs(verified.verification));
      notes.push(...ijbNotes({ ...pairs, ...verified }));
      drawn.push(`1:1 over ${verified.resampled}`);
    } else notes.push('there is no list of pairs: 1:1 is left out');
    const found =
      search &&
      ijbSearch(templates, search.galleries, search.probes, {
        fpirs: fpir,
        rank,
        seed,
        replicates: flags.replicates ?? 1000,
      });
    if (found) {
      summary.push(...summariseSearch(found));
      drawn.push(
        `1:N over subjects of gallery 1 (${found.people[0]}), gallery 2 (${found.people[1]}) and others (${found.people[2]}) apart`,
      );
    } else notes.push('there are no tables of galleries and probes: 1:N is left out');
    if ((flags.replicates ?? 1000) > 1)
      summary.push({
        figure: 'intervals',
        value: '95 %',
        interval: '',
        note: `bootstrap: ${drawn.join('; ')}; seed ${seed}`,
      });
    await finish(
      {
        protocol: 'ijb',
        title: `${meta.set}${pairs ? ' 1:1' : ''}${pairs && search ? ' and' : ''}${search ? ' 1:N' : ''}`,
        summary,
        model: evaluatedModel(source, templates.length),
        settings: [
          ...source.facts,
          ['Metadata', `${flags.meta}: ${images.names.length} images, ${meta.templates.length} templates`],
          [
            'Template',
            `mean within a medium, sum over media, unit length${detectorScores ? "; images weighed by the detector's score" : ''}`,
          ],
          ['Image and mirror', fusion],
          ...(search
            ? ([
                ['Galleries', search.galleries.map(({ rows }) => rows.length).join(' and ')],
                ['Probes', String(search.probes.rows.length)],
                ['Rank', String(rank)],
              ] as [string, string][])
            : []),
        ],
        notes,
        ...(verified && { verification: verified.verification }),
        ...(found && { identification: found.identification, openSet: found.openSet }),
        details: {
          set: meta.set,
          ...(found && { average: { fnir: found.fnir, cmc: found.cmc } }),
          ...(verified && { resampled: verified.resampled }),
        },
        seconds: (performance.now() - started) / 1000,
      },
      flags,
      source.folder,
    );
  } finally {
    await source.close();
  }
}

/** Images whose features are held at a time. */
const AT_A_TIME = 4096;

/** Unit templates of the metadata, [T, D]. */
async function templatesOf(
  source: FaceSource,
  { images, templates, detectorScores }: Awaited<ReturnType<typeof readIjb>>,
  fusion: Fusion,
): Promise<Templates> {
  const rows = locate(images, source);
  const sums = new TemplateSums(images, templates.length, detectorScores);
  const shown = timedProgress(rows.length, 'images');
  try {
    for (let first = 0; first < rows.length; first += AT_A_TIME) {
      const some = rows.slice(first, first + AT_A_TIME);
      const features = await source.features(some, {
        onProgress: (done) => shown.update(first + done, ''),
      });
      sums.add(
        some.map((_, i) => first + i),
        fuse(features, fusion),
      );
    }
  } finally {
    shown.stop();
  }
  return sums.unit((row) => templates[row]!);
}

/** Rows of the images in the source: by path, or by file name where only one image has it. */
function locate({ names }: IjbImages, { images, folder, file }: FaceSource): number[] {
  const byPath = new Map(images.map(({ path }, row) => [path, row]));
  const byName = new Map<string, number | undefined>();
  images.forEach(({ path }, row) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    byName.set(name, byName.has(name) ? undefined : row);
  });
  const rows = names.map((name) => byPath.get(name) ?? byName.get(name));
  const missing = names.filter((_, i) => rows[i] === undefined);
  if (missing.length > 0)
    throw new UserError(
      `${folder || file}: ${missing.length} of ${names.length} images that the metadata names are not there, ${missing[0]} first; give the folder, or the embeddings, of the whole set`,
    );
  return rows as number[];
}
