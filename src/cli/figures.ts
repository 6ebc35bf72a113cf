// hypersphere toy --figure: the figures of the SphereFace paper and of the comparison of margins, each as data,
// as SVG files and on one page. What is finished is in the folder, so nothing is lost when it is stopped.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { errorCodes, UserError } from '../common/errors.js';
import {
  collectFigure,
  type FigureOptions,
  type FigureProgress,
  figuresNamed,
} from '../evaluate/figures/index.js';
import { duration, endWith, note, type Progress, progress, result, usage } from './output.js';

export interface FigureFlags extends FigureOptions {
  /** A name, a list of names, or 'all'. */
  figure: string;
  out: string;
  json?: boolean;
}

/** Makes the figures one after the other; after each, its files and the page are there. */
export async function makeFigures({ figure: list, out, json, ...options }: FigureFlags): Promise<void> {
  const chosen = usage(() => figuresNamed(list));
  try {
    mkdirSync(out, { recursive: true });
  } catch (error) {
    throw new UserError(`${out}: cannot be made (${(error as Error).message}); name another with --out`);
  }
  // Loaded when they are needed, because plots take longer to load than everything else together.
  const { writeFigure, writeFiguresPage } = await import('../report/figures-page.js');
  const made: { name: string; title: string; files: string[]; seconds: number }[] = [];
  let shown: Progress | undefined;
  const stop = () => {
    shown?.stop();
    const names = made.map(({ name }) => name).join(', ');
    note(
      '',
      `stopped; ${names === '' ? 'no figure was finished' : `${names} is finished, in ${resolve(out)}`}`,
    );
    process.exit(errorCodes.interrupted.exit);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  try {
    for (const [i, figure] of chosen.entries()) {
      const place = chosen.length > 1 ? `${i + 1} of ${chosen.length}: ` : '';
      note(`${place}${figure.name}  ${figure.title} (${figure.source})`);
      const bar = figureBar((current) => {
        shown = current;
      });
      const file = await collectFigure(figure, options, {
        onStep: bar.step,
        onNote: (line) => (shown ? shown.note(line) : note(line)),
      }).catch((error: unknown) => {
        // One figure that cannot be made (too few people in the folder) does not take the others with it.
        if (chosen.length === 1 || !(error instanceof UserError)) throw error;
        bar.stop();
        note(`${figure.name} is left out: ${error.message}`);
        endWith(error.code);
      });
      bar.stop();
      if (!file) continue;
      const files = writeFigure(out, figure, file);
      made.push({ name: figure.name, title: figure.title, files, seconds: file.seconds });
      for (const line of writeFiguresPage(out).left) note(line);
    }
  } finally {
    shown?.stop();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, stop);
  }
  if (made.length === 0) throw new UserError('none of these figures could be made');
  const page = join(out, 'index.html');
  result({ figures: made, folder: out, page }, report(made, page), json);
}

/** A bar that appears with the first step, and begins anew when a figure counts something else. */
function figureBar(onChange: (shown: Progress | undefined) => void) {
  let shown: Progress | undefined;
  let counted: number | undefined;
  let begun = 0;
  const stop = () => {
    shown?.stop();
    shown = undefined;
    counted = undefined;
    onChange(shown);
  };
  return {
    step({ text, done, total, secondsLeft }: FigureProgress) {
      if (counted !== total) {
        stop();
        shown = progress(total, 'steps');
        counted = total;
        begun = performance.now();
        onChange(shown);
      }
      const left = secondsLeft ?? ((performance.now() - begun) / 1000 / done) * (total - done);
      shown!.update(done, `${duration(left)} left  ${text}`);
    },
    stop,
  };
}

function report(
  made: readonly { name: string; title: string; files: string[]; seconds: number }[],
  page: string,
): string {
  const width = Math.max(...made.map(({ name }) => name.length));
  const lines = made.map(
    ({ name, title, files, seconds }) =>
      `${name.padEnd(width)}   ${title}: ${files.length - 1} plots, ${duration(seconds)}`,
  );
  return `
${lines.join('\n')}

Page with all figures of the folder: ${resolve(page)}
Each plot is an SVG file beside it, each figure's data a JSON file.`;
}
