// hypersphere losses: every loss with its formula, source, options and what it needs of the batches.
import { Command } from 'commander';
import { type LossDefinition, losses, lossNamed } from '../losses/index.js';
import { result } from './output.js';

const HELP = `
A joint loss is a weighted sum: its parts with '+' between them, as in softmax+center.

Examples:
  hypersphere losses
  hypersphere losses arcface
  hypersphere train --data faces --net sphereface-4 --loss softmax+center --weight center=0.008
  hypersphere train --data faces --net sphereface-4 --loss triplet --option mining=hardest --per-person 4`;

export function lossesCommand(): Command {
  return new Command('losses')
    .description('list the losses with formula, paper, options and what they need')
    .argument('[name]', 'one loss, or several as in softmax+center')
    .option('--json', 'print one JSON object')
    .addHelpText('after', HELP)
    .action((name: string | undefined, { json }: { json?: boolean }) => {
      const shown = name === undefined ? Object.values(losses) : [lossNamed(name)];
      result({ losses: shown.map(described) }, shown.map(text).join('\n\n'), json);
    });
}

/** A loss as plain data. */
function described({ name, title, kind, formula, paper, weight, needs, options }: LossDefinition): object {
  const listed = Object.entries(options).map(([option, { default: standard, valid }]) => {
    return { name: option, default: standard, valid };
  });
  return { name, title, kind, formula, paper, weight, needs, options: listed };
}

function text({ name, title, formula, paper, weight, needs, options, kind }: LossDefinition): string {
  const lines = [`${name}  (${title}; ${kind})`, `  ${formula}`, `  ${paper}`];
  const names = Object.keys(options);
  const width = Math.max(0, ...names.map((option) => option.length));
  for (const option of names) {
    const { default: standard, valid } = options[option]!;
    lines.push(`    ${option.padEnd(width)}  ${value(standard)}; ${valid}`);
  }
  const { imagesPerPerson } = needs;
  if (imagesPerPerson !== undefined)
    lines.push(`  needs ${imagesPerPerson} images or more of each person in a batch`);
  if (weight !== 1) lines.push(`  weight in a joint loss: ${weight}`);
  return lines.join('\n');
}

/** A default for people: groups without braces. */
function value(standard: unknown): string {
  if (typeof standard !== 'object' || standard === null) return String(standard);
  return Object.entries(standard)
    .map(([name, inner]) => `${name} ${value(inner)}`)
    .join(', ');
}
