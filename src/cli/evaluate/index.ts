// hypersphere evaluate: a model on a benchmark, by its protocol.
import { Command } from 'commander';
import { ijbCommand } from './ijb.js';
import { lfwCommand } from './lfw.js';
import { megafaceCommand } from './megaface.js';
import { openSetCommand } from './open-set.js';

export function evaluateCommand(): Command {
  const command = new Command('evaluate').description('measure a model on a benchmark, by its protocol');
  for (const protocol of [lfwCommand(), ijbCommand(), megafaceCommand(), openSetCommand()])
    command.addCommand(protocol);
  return command;
}
