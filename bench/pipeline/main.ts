// From photographs to templates: images a second and latency of detection, alignment and embedding, each and whole,
// one photograph at a time and batched, beside the JavaScript libraries that do the same. See bench/README.md.
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { photographsAt, readPhotograph } from '../../src/data/index.js';
import {
  alignFace,
  type Detection,
  FaceReader,
  findFaces,
  openDetector,
  openEmbedder,
  samplePhotographs,
} from '../../src/face/index.js';
import { openDevice } from '../../src/runtime/index.js';
import { whole } from '../options.js';
import { alternate, median, ratioOf, type Timed } from '../statistics.js';
import { StepServer } from '../step-server.js';

interface Options {
  photos?: string;
  detector: string;
  model: string;
  flip?: 'none' | 'sum' | 'concatenate';
  steps: number;
  threads: number;
  memory?: number;
  json: boolean;
}

const options = new Command('pipeline')
  .description('times detection, alignment and embedding of photographs beside other libraries')
  .option('--photos <dir>', 'photographs (default: the samples of the npm package)')
  .option('--detector <name|file>', 'detector', 'face-api')
  .option('--model <name|file>', 'recogniser', 'dlib-resnet-128')
  .addOption(
    new Option('--flip <how>', "mirror images (default: as the model's manifest says)").choices([
      'none',
      'sum',
      'concatenate',
    ]),
  )
  .option('--steps <n>', 'passes over the photographs timed of each, after two that are discarded', whole, 6)
  .option('--threads <n>', 'threads of every side', whole, 2)
  .option('--memory <n>', 'instead: memory over so many photographs', whole)
  .option('--json', 'print one JSON object', false)
  .parse()
  .opts<Options>();

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const photographs = options.photos ? await photographsAt([options.photos]) : samplePhotographs();
const device = await openDevice('cpu', { threads: options.threads });
const detector = await openDetector(options.detector, { device, upright: true });
const open = (flip: Options['flip']) =>
  openEmbedder(options.model, { device, ...(flip && { manifest: { flip } }) });
const embedder = await open(options.flip);
const reader = new FaceReader(detector, [embedder]);

/** Something that does its work on all photographs and says how long it took. */
interface Task extends Timed {
  name: string;
}
const task = (name: string, work: () => Promise<unknown>): Task => ({
  name,
  async step() {
    const started = performance.now();
    await work();
    return performance.now() - started;
  },
});
const drain = async (all: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of all);
};

if (options.memory !== undefined) await memory(options.memory);
else await times();
await reader.close();
await device.close();

/** The process's memory while so many photographs pass through: it must not grow with their number. */
async function memory(count: number): Promise<void> {
  const paths = Array.from({ length: count }, (_, i) => photographs[i % photographs.length]!);
  const rows: { photographs: number; rss: number; heap: number }[] = [];
  let done = 0;
  let faces = 0;
  for await (const read of reader.read(paths, { choice: 'all' })) {
    if ('faces' in read) faces += read.faces.length;
    if (++done % Math.ceil(count / 10) !== 0) continue;
    const { rss, heapUsed } = process.memoryUsage();
    rows.push({ photographs: done, rss: rss / 2 ** 20, heap: heapUsed / 2 ** 20 });
    say(`${done} photographs, ${faces} faces: ${rows.at(-1)!.rss.toFixed(0)} MiB`);
  }
  if (options.json) process.stdout.write(`${JSON.stringify({ memory: rows, faces })}\n`);
  else {
    process.stdout.write('| photographs | resident MiB | heap MiB |\n|---|---|---|\n');
    for (const row of rows)
      process.stdout.write(`| ${row.photographs} | ${row.rss.toFixed(0)} | ${row.heap.toFixed(0)} |\n`);
  }
}

async function times(): Promise<void> {
  const decoded = await Promise.all(photographs.map((path) => readPhotograph(path)));
  const found: (readonly Detection[])[] = [];
  for await (const looked of findFaces(detector, photographs, { choice: 'all' }))
    found.push('found' in looked ? looked.found : []);
  const faces = found.flat().length;
  const aligned = found.flatMap((detections, i) =>
    detections.map(({ landmarks }) => alignFace(decoded[i]!, landmarks, reader.template)),
  );
  say(`${photographs.length} photographs, ${faces} faces`);

  const stages = [
    task('decode, one at a time', async () => {
      for (const path of photographs) await readPhotograph(path);
    }),
    task('detect, one at a time', async () => {
      for (const photograph of decoded) await detector.detect([photograph]);
    }),
    task('detect, batch of 4', async () => {
      for (let i = 0; i < decoded.length; i += 4) await detector.detect(decoded.slice(i, i + 4));
    }),
    task('align', async () => {
      for (const [i, detections] of found.entries())
        for (const { landmarks } of detections) alignFace(decoded[i]!, landmarks, reader.template);
    }),
    task('embed, one at a time', async () => {
      for (const face of aligned) await embedder.embed([face]);
    }),
    task('embed, batched', () => embedder.embed(aligned)),
    task('whole, one at a time', async () => {
      for (const path of photographs) await drain(reader.read([path], { choice: 'all' }));
    }),
    task('whole, batched', () => drain(reader.read(photographs, { choice: 'all' }))),
  ];
  const stageTimes = await alternate(stages, options.steps);
  const stageRows = stages.map(({ name }, i) => {
    const faceWise = name.startsWith('align') || name.startsWith('embed');
    const each = median(stageTimes[i]!) / (faceWise ? faces : photographs.length);
    return {
      stage: name,
      unit: faceWise ? 'face' : 'photograph',
      milliseconds: each,
      perSecond: 1000 / each,
    };
  });
  const compared = await compare();
  if (options.json) {
    process.stdout.write(
      `${JSON.stringify({ photographs: photographs.length, faces, stages: stageRows, compared })}\n`,
    );
    return;
  }
  process.stdout.write(`| stage | ms | of a | a second |\n|---|---|---|---|\n`);
  for (const { stage, unit, milliseconds, perSecond } of stageRows)
    process.stdout.write(`| ${stage} | ${milliseconds.toFixed(2)} | ${unit} | ${perSecond.toFixed(1)} |\n`);
  for (const { task, rows } of compared) {
    process.stdout.write(
      `\n${task}\n| | ms a photograph | photographs a second | its time over ours (the first row's), round by round: median (quartiles) | faces |\n|---|---|---|---|---|\n`,
    );
    for (const row of rows)
      process.stdout.write(
        `| ${row.name} | ${row.milliseconds.toFixed(1)} | ${(1000 / row.milliseconds).toFixed(1)} | ${row.slower ? `${row.slower.median.toFixed(1)} (${row.slower.low.toFixed(1)} to ${row.slower.high.toFixed(1)}) ` : ''} | ${row.faces} |\n`,
      );
  }
}

/** Ours and the others in turns. The ratio is the other's time over ours, round by round. */
async function compare() {
  const folder = process.env.HYPERSPHERE_TFJS;
  if (!folder) {
    say('HYPERSPHERE_TFJS names no folder with the other libraries: ours alone was timed');
    return [];
  }
  const script = fileURLToPath(new URL('./rival_server.mjs', import.meta.url));
  const decoded = await Promise.all(photographs.map((path) => readPhotograph(path)));
  const plain = new FaceReader(detector, [await open('none')]);
  const results = [];
  for (const what of ['whole', 'detect'] as const) {
    const rivals: { name: string; faces: number; server: StepServer }[] = [];
    for (const library of ['face-api', 'human']) {
      try {
        const server = await StepServer.start(library, process.execPath, [
          script,
          folder,
          library,
          what,
          String(options.threads),
          ...photographs,
        ]);
        rivals.push({ name: `${library} ${server.version}`, faces: Number(server.about.faces), server });
      } catch (error) {
        say(`${library} left out: ${(error as Error).message}`);
      }
    }
    let faces = 0;
    const count = async (all: AsyncIterable<{ faces?: readonly unknown[] } | object>) => {
      faces = 0;
      for await (const read of all) faces += 'faces' in read ? (read.faces as readonly unknown[]).length : 0;
    };
    const ours =
      what === 'whole'
        ? [
            task('Hypersphere, batched, without mirror images', () =>
              count(plain.read(photographs, { choice: 'all' })),
            ),
            task('Hypersphere, one at a time, without mirror images', async () => {
              for (const path of photographs) await drain(plain.read([path], { choice: 'all' }));
            }),
            task('Hypersphere, batched, with mirror images', () =>
              drain(reader.read(photographs, { choice: 'all' })),
            ),
          ]
        : [
            task('Hypersphere, batch of 4', async () => {
              faces = 0;
              for (let i = 0; i < decoded.length; i += 4)
                for (const inOne of await detector.detect(decoded.slice(i, i + 4))) faces += inOne.length;
            }),
            task('Hypersphere, one at a time', async () => {
              for (const photograph of decoded) await detector.detect([photograph]);
            }),
          ];
    const all: Timed[] = [...ours, ...rivals.map(({ server }) => server)];
    const measured = await alternate(all, options.steps);
    for (const { server } of rivals) await server.close();
    results.push({
      task: what === 'whole' ? 'decode, detect, align and embed' : 'detect, landmarks included',
      rows: [...ours.map(({ name }) => ({ name, faces })), ...rivals].map(({ name, faces }, i) => ({
        name,
        faces,
        milliseconds: median(measured[i]!) / photographs.length,
        ...(i >= ours.length && { slower: ratioOf(measured[i]!, measured[0]!) }),
      })),
    });
  }
  return results;
}
