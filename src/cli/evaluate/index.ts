// hypersphere evaluate: a model on a benchmark, by its protocol.
import { Command } from 'commander';
import { binCommand } from './bin.js';
import { compareCommand } from './compare.js';
import { ijbCommand } from './ijb.js';
import { lfwCommand } from './lfw.js';
import { megafaceCommand } from './megaface.js';
import { openSetCommand } from './open-set.js';
import { pairsCommand } from './pairs.js';
import { ytfCommand } from './ytf.js';

export function evaluateCommand(): Command {
  const command = new Command('evaluate').description('measure a model on a benchmark, by its protocol');
  for (const protocol of [
    lfwCommand(),
    ytfCommand(),
    ijbCommand(),
    megafaceCommand(),
    openSetCommand(),
    binCommand(),
    pairsCommand(),
    compareCommand(),
  ])
    command.addCommand(protocol);
  return command;
}
