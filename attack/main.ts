// npm run attack: what the project promises of its files and folders, tried against it. Three parts: fuzz (readers against
// files that were changed), kill (commands that write against SIGKILL), fault (commands against a full disk and the like).
// See docs/reliability.md.
import process from 'node:process';
import { Command, InvalidArgumentError, Option } from 'commander';
import { faults } from './fault/index.js';
import { readers } from './fuzz/readers/index.js';
import { scenarios } from './kill/scenarios.js';

const whole = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('give a whole number from 0 on');
  return value;
};
const listed = (value: string, before: string[] = []): string[] => [...before, ...value.split(',')];
const seed = () => new Option('--seed <N>', 'of everything random').argParser(whole).default(1);
const out = () => new Option('--out <DIR>', 'folder for the files of failures').default('runs/attack');
const json = () => new Option('--json', 'print one JSON object');

const program = new Command('attack').description('attacks the project: fuzz, kill, fault');

program
  .command('fuzz')
  .description('readers against files that were changed')
  .option(
    '--reader <NAME>',
    `a reader, or several: ${readers.map(({ name }) => name).join(', ')}`,
    listed,
    [],
  )
  .option('--count <N>', 'cases of an ordinary reader; slow ones have a part of it', whole, 3000)
  .option('--seconds <N>', 'so long instead, all readers together', whole)
  .option('--jobs <N>', 'readers at a time', whole, 2)
  .option('--case <N>', 'this case of --reader alone; its files are kept', whole)
  .addOption(seed())
  .addOption(out())
  .addOption(json())
  .action(async (options) => {
    process.exitCode = await (await import('./fuzz/command.js')).fuzzCommand(options);
  });

program
  .command('kill')
  .description('commands that write against SIGKILL (needs dist: npm run build)')
  .option(
    '--command <NAME>',
    `a command, or several: ${scenarios.map(({ name }) => name).join(', ')}`,
    listed,
    [],
  )
  .option('--count <N>', 'kills of each command', whole, 16)
  .option('--seconds <N>', 'no kill is begun later', whole)
  .option('--case <N>', 'this kill of --command alone', whole)
  .addOption(seed())
  .addOption(json())
  .action(async (options) => {
    process.exitCode = await (await import('./kill/index.js')).killCommand(options);
  });

program
  .command('fault')
  .description('commands against a full disk, closed pipes, odd files and names (needs dist: npm run build)')
  .option('--fault <NAME>', `a fault, or several: ${faults.map(({ name }) => name).join(', ')}`, listed, [])
  .option('--seconds <N>', 'no trial is begun later', whole)
  .addOption(json())
  .action(async (options) => {
    process.exitCode = await (await import('./fault/index.js')).faultCommand(options);
  });

program
  .command('all')
  .description('fuzz, kill and fault, one after the other')
  .option('--count <N>', 'cases of an ordinary reader', whole, 3000)
  .option('--kills <N>', 'kills of each command', whole, 16)
  .option('--jobs <N>', 'readers at a time', whole, 2)
  .addOption(seed())
  .addOption(out())
  .action(async ({ kills, ...options }) => {
    const { fuzzCommand } = await import('./fuzz/command.js');
    const { killCommand } = await import('./kill/index.js');
    const { faultCommand } = await import('./fault/index.js');
    const codes = [
      await fuzzCommand({ ...options, reader: [] }),
      await killCommand({ ...options, count: kills, command: [] }),
      await faultCommand({ fault: [] }),
    ];
    process.exitCode = Math.max(...codes);
  });

await program.parseAsync();
