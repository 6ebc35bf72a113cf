#!/usr/bin/env node
// The command line: registers the commands and turns their outcome into an exit code. Each command is one
// file beside this one; what they share at the terminal is in output.ts.
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { alignCommand } from './align.js';
import { calibrateCommand } from './calibrate.js';
import { compareCommand } from './compare.js';
import { convertCommand } from './convert.js';
import { detectCommand } from './detect.js';
import { embedCommand } from './embed.js';
import { evaluateCommand } from './evaluate/index.js';
import { identifyCommand } from './identify.js';
import { importCommand } from './import.js';
import { infoCommand } from './info.js';
import { lossesCommand } from './losses.js';
import { modelsCommand } from './models.js';
import { main } from './output.js';
import { overlapCommand } from './overlap.js';
import { projectCommand } from './project.js';
import { quantizeCommand } from './quantize.js';
import { isSilentRank } from './ranks.js';
import { reproduceCommand } from './reproduce.js';
import { searchCommand } from './search.js';
import { toyCommand } from './toy.js';
import { trainCommand } from './train.js';
import { verifyCommand } from './verify.js';

const EXAMPLES = `
Examples:
  hypersphere verify passport.jpg selfie.jpg        the same person?
  hypersphere identify --gallery people party.jpg   who of them is it, if anyone
  hypersphere compare                               a page about the faces of sample photographs
  hypersphere toy                                   three minutes on handwritten digits
  hypersphere train --data faces --net sphereface-4 --loss a-softmax --out runs/first
  hypersphere train --resume --out runs/first       continue after Ctrl-C
  hypersphere evaluate lfw --model runs/first/model.onnx --data lfw --pairs pairs.txt
  hypersphere embed --model runs/first/model.onnx --data faces --out faces.safetensors
  hypersphere losses
  hypersphere info sphereface-20

Exit codes: 0 done, 2 the command was not understood, 1 anything else.
HYPERSPHERE_DEBUG=1 shows where an error came from.`;

function program(): Command {
  const { version, description } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { version: string; description: string };
  const root = new Command('hypersphere')
    .description(description)
    .version(version)
    .addHelpText('after', EXAMPLES);
  for (const command of [
    toyCommand(),
    trainCommand(),
    evaluateCommand(),
    reproduceCommand(),
    calibrateCommand(),
    detectCommand(),
    alignCommand(),
    verifyCommand(),
    identifyCommand(),
    searchCommand(),
    compareCommand(),
    embedCommand(),
    overlapCommand(),
    projectCommand(),
    lossesCommand(),
    infoCommand(),
    importCommand(),
    convertCommand(),
    quantizeCommand(),
    modelsCommand(),
  ]) {
    root.addCommand(command);
  }
  prepare(root);
  return root;
}

/** Lets a usage error reach `main` as an exception instead of ending the process, in every subcommand. */
function prepare(command: Command): void {
  command.exitOverride().showHelpAfterError('(--help lists the flags)');
  if (isSilentRank()) command.configureOutput({ writeOut() {}, writeErr() {} });
  for (const inner of command.commands) prepare(inner);
}

await main(() => program().parseAsync());
