// What a sum over all ranks of this machine costs by its length: a latency, and bytes a second of long ones. They are
// figures of the model in docs/scale.md. See bench/README.md.
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { whole, wholes } from '../options.js';
import { median, quantile } from '../statistics.js';

interface Options {
  ranks: number;
  lengths: number[];
  steps: number;
  mpirun: string;
  json: boolean;
  smoke: boolean;
}

/** A sum of float32 numbers of one length. */
interface Row {
  numbers: number;
  milliseconds: number;
  /** The quartiles. */
  low: number;
  high: number;
  /** Bytes of the summed array over the time. */
  gigabytesPerSecond: number;
}

const LENGTHS = Array.from({ length: 13 }, (_, i) => 4 ** i);

const parsed = new Command('mpi')
  .description('times allReduce between ranks of this machine by the length of the array')
  .option('--ranks <n>', 'ranks', whole, 2)
  .option('--lengths <counts>', 'float32 numbers, separated by commas', wholes, LENGTHS)
  .option('--steps <n>', 'sums timed of each length, after three that are discarded', whole, 20)
  .option('--mpirun <command>', 'the launcher with its flags', 'mpirun --bind-to none')
  .option('--json', 'print JSON', false)
  .option('--smoke', 'three short lengths, twice, to see that it runs', false)
  .parse()
  .opts<Options>();
const options = parsed.smoke ? { ...parsed, lengths: [1, 256, 65_536], steps: 2 } : parsed;

const [launcher, ...flags] = options.mpirun.split(' ').filter((word) => word !== '');
const output = execFileSync(
  launcher!,
  [
    ...flags,
    ...['-n', String(options.ranks), process.execPath, '--import', 'tsx'],
    fileURLToPath(new URL('ranks.ts', import.meta.url)),
    ...[options.lengths.join(','), String(options.steps)],
  ],
  // Open MPI starts nothing for root unless it is told twice.
  {
    encoding: 'utf8',
    env: { ...process.env, OMPI_ALLOW_RUN_AS_ROOT: '1', OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1' },
  },
);
const { size, times } = JSON.parse(output) as { size: number; times: number[][] };
const rows = options.lengths.map((numbers, i): Row => {
  const milliseconds = median(times[i]!);
  return {
    numbers,
    milliseconds,
    low: quantile(times[i]!, 0.25),
    high: quantile(times[i]!, 0.75),
    gigabytesPerSecond: (4 * numbers) / 1e6 / milliseconds,
  };
});

if (options.json)
  console.log(JSON.stringify({ ranks: size, cores: cpus().length, steps: options.steps, rows }));
else {
  console.log(
    `allReduce (sum) of float32 between ${size} ranks on ${cpus().length} cores (${cpus()[0]?.model})`,
  );
  console.log('   numbers      MiB         ms      (quartiles)     GB/s');
  for (const { numbers, milliseconds, low, high, gigabytesPerSecond } of rows)
    console.log(
      [
        String(numbers).padStart(10),
        ((4 * numbers) / 2 ** 20).toFixed(3).padStart(8),
        milliseconds.toFixed(3).padStart(10),
        `(${low.toFixed(3)} - ${high.toFixed(3)})`.padStart(16),
        gigabytesPerSecond.toFixed(3).padStart(8),
      ].join(' '),
    );
}
