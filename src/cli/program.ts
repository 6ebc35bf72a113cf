// The command line: registers the commands and turns their outcome into an exit code. Each command is one
// file beside this one; what they share at the terminal is in output.ts.
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { printableLines } from '../common/display.js';
import { errorCodes } from '../common/errors.js';
import { main } from './output.js';
import { isSilentRank } from './ranks.js';

const EXAMPLES = () => `
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

${exits()}
HYPERSPHERE_DEBUG=1 shows where an error came from.`;

/** The exit codes, one line each. */
function exits(): string {
  const lines = Object.entries(errorCodes).map(
    ([code, { exit, meaning }]) => `  ${String(exit).padStart(3)}  ${code}: ${meaning}`,
  );
  return `Exit codes (with --json, a failure prints { "error": { "code", "message" } }):\n    0  done\n${lines.join('\n')}`;
}

/** The commands in the order of the help; loading all of them takes longer than most of them need to start. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  toy: async () => (await import('./toy.js')).toyCommand(),
  train: async () => (await import('./train.js')).trainCommand(),
  evaluate: async () => (await import('./evaluate/index.js')).evaluateCommand(),
  reproduce: async () => (await import('./reproduce.js')).reproduceCommand(),
  calibrate: async () => (await import('./calibrate.js')).calibrateCommand(),
  detect: async () => (await import('./detect.js')).detectCommand(),
  align: async () => (await import('./align.js')).alignCommand(),
  verify: async () => (await import('./verify.js')).verifyCommand(),
  identify: async () => (await import('./identify.js')).identifyCommand(),
  search: async () => (await import('./search.js')).searchCommand(),
  compare: async () => (await import('./compare.js')).compareCommand(),
  embed: async () => (await import('./embed.js')).embedCommand(),
  overlap: async () => (await import('./overlap.js')).overlapCommand(),
  project: async () => (await import('./project.js')).projectCommand(),
  losses: async () => (await import('./losses.js')).lossesCommand(),
  info: async () => (await import('./info.js')).infoCommand(),
  import: async () => (await import('./import.js')).importCommand(),
  convert: async () => (await import('./convert.js')).convertCommand(),
  quantize: async () => (await import('./quantize.js')).quantizeCommand(),
  models: async () => (await import('./models.js')).modelsCommand(),
};

/** The program with the command that is called, or with all of them where none of them is. */
async function program(called: string | undefined): Promise<Command> {
  const { version, description } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { version: string; description: string };
  const root = new Command('hypersphere')
    .description(description)
    .version(version)
    .addHelpText('after', EXAMPLES());
  const only = called !== undefined && Object.hasOwn(COMMANDS, called) ? [called] : Object.keys(COMMANDS);
  for (const name of only) root.addCommand(await COMMANDS[name]!());
  prepare(root);
  return root;
}

/** Lets a usage error reach `main` as an exception instead of ending the process, in every subcommand. */
function prepare(command: Command): void {
  command.exitOverride().showHelpAfterError('(--help lists the flags)');
  if (isSilentRank()) command.configureOutput({ writeOut() {}, writeErr() {} });
  // It repeats what it did not understand.
  else command.configureOutput({ writeErr: (text) => void process.stderr.write(printableLines(text)) });
  for (const inner of command.commands) prepare(inner);
}

await main(async () => (await program(process.argv[2])).parseAsync());
