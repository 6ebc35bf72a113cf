// Makes a checkout ready to run: installs the locked dependencies when they are missing or out of date,
// then compiles src/ to dist/ when a source is newer than the last build, or always with --rebuild. Plain
// JavaScript with no imports beyond Node, because it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => join(root, ...parts);
const modified = (file) => (existsSync(file) ? statSync(file).mtimeMs : 0);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 9)) {
  process.stderr.write(`Node ${process.versions.node} is too old: Hypersphere needs 20.9 or newer\n`);
  process.exit(1);
}

function newest(folder) {
  let time = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    time = Math.max(time, entry.isDirectory() ? newest(path) : modified(path));
  }
  return time;
}

// The npm that runs this passes its flags on (`npm pack --dry-run` would make `npm ci` a dry run, too).
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_config_(dry_run|json|omit|production)$/.test(name)),
);

function step(title, command, args) {
  process.stderr.write(`${title}\n`);
  const done = spawnSync(command, args, {
    cwd: root,
    env,
    stdio: ['ignore', process.stderr, process.stderr],
    shell: process.platform === 'win32',
  });
  if (done.status !== 0) {
    process.stderr.write(`set-up stopped: '${command} ${args.join(' ')}' failed (see above)\n`);
    process.exit(1);
  }
}

// Where only the npm registry can be reached, a plain `npm ci` of an older npm leaves onnxruntime-node out: it is an
// optional dependency, whose own script failed.
if (
  modified(at('node_modules', '.package-lock.json')) < modified(at('package-lock.json')) ||
  !existsSync(at('node_modules', 'onnxruntime-node'))
) {
  // Nothing that Hypersphere needs is built or fetched by an install script, and onnxruntime-node's fetches CUDA
  // libraries from outside the npm registry. (For --device cuda see docs/devices.md.)
  const flags = ['--ignore-scripts', '--include=dev', '--no-audit', '--no-fund'];
  step('Installing the locked dependencies ...', 'npm', ['ci', ...flags]);
}

const stamp = at('dist', '.built');
const sources = Math.max(
  newest(at('src')),
  modified(at('tsconfig.json')),
  modified(at('tsconfig.build.json')),
);
if (process.argv.includes('--rebuild') || modified(stamp) < sources) {
  step('Compiling ...', 'npm', ['run', '--silent', 'build']);
  mkdirSync(at('dist'), { recursive: true });
  writeFileSync(stamp, '');
}
