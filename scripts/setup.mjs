// Makes a checkout ready to run: installs the locked dependencies when they are missing or out of date,
// then compiles src/ to dist/ when a source is newer than the last build. Plain JavaScript with no
// imports beyond Node, because it runs before anything is installed.
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

function step(title, command, args) {
  process.stderr.write(`${title}\n`);
  const done = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
    shell: process.platform === 'win32',
  });
  if (done.status !== 0) {
    process.stderr.write(`set-up stopped: '${command} ${args.join(' ')}' failed (see above)\n`);
    process.exit(1);
  }
}

if (modified(at('node_modules', '.package-lock.json')) < modified(at('package-lock.json'))) {
  step('Installing the locked dependencies ...', 'npm', ['ci', '--no-audit', '--no-fund']);
}

const stamp = at('dist', '.built');
const sources = Math.max(
  newest(at('src')),
  modified(at('tsconfig.json')),
  modified(at('tsconfig.build.json')),
);
if (modified(stamp) < sources) {
  step('Compiling ...', 'npm', ['run', '--silent', 'build']);
  mkdirSync(at('dist'), { recursive: true });
  writeFileSync(stamp, '');
}
