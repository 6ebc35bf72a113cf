// hypersphere evaluate compare: several evaluations beside each other, on a page.
import { Command } from 'commander';
import { requireWritable } from '../../common/folders.js';
import { result, UsageError } from '../output.js';

const HELP = `
Takes the folders that --report wrote, or the evaluation.json in them, and puts their figures with intervals, their
curves and their settings on one page, with its plots as SVG files. Figures of another protocol, mode, pair list or
alignment are figures of another thing: the page says so first, and then marks none as the best.

Examples:
  hypersphere evaluate compare lfw-a lfw-b --report lfw-both
  hypersphere evaluate compare runs/*/lfw --report lfw-all`;

interface Flags {
  report: string;
  json?: boolean;
}

export function compareCommand(): Command {
  return new Command('compare')
    .description('put several evaluations beside each other, on a page')
    .argument('<evaluation...>', 'report folders, or evaluation.json files')
    .requiredOption('--report <dir>', 'folder of the page')
    .option('--json', 'print one JSON object')
    .addHelpText('after', HELP)
    .action(run);
}

async function run(places: string[], { report, json }: Flags): Promise<void> {
  if (places.length < 2)
    throw new UsageError('name two evaluations or more: the folders that --report wrote');
  requireWritable(report, '--report');
  const { writeComparison } = await import('../../report/evaluation/comparison-page.js');
  const { page, files, runs, comparable } = await writeComparison(report, places);
  const verdict = comparable
    ? ''
    : '\nThey were not measured in the same way, so their figures must not be compared; the page says what differs.';
  result({ page, files, runs, comparable }, `${runs.join('\n')}${verdict}\n${page}`, json);
}
