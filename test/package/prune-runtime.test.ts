// What the package does after an install: other systems' binaries go from its own copy of ONNX Runtime, and nothing
// else does.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../train/faces.js';

const script = fileURLToPath(new URL('../../scripts/prune-runtime.mjs', import.meta.url));
const systems = ['darwin/arm64', 'linux/arm64', 'linux/x64', 'win32/arm64', 'win32/x64'];
const bin = 'node_modules/onnxruntime-node/bin/napi-v6';

/** An installed package with binaries of `systems`, and a neighbour with the same. */
function installed() {
  const project = join(temporaryFolder(), 'node_modules');
  const root = join(project, 'hypersphere');
  mkdirSync(join(root, 'scripts'), { recursive: true });
  copyFileSync(script, join(root, 'scripts', 'prune-runtime.mjs'));
  for (const base of [join(root, bin), join(project, '..', bin)])
    for (const system of systems) {
      mkdirSync(join(base, system), { recursive: true });
      writeFileSync(join(base, system, 'onnxruntime_binding.node'), '');
    }
  const here = (base: string) => systems.filter((system) => existsSync(join(base, system)));
  return {
    root,
    own: () => here(join(root, bin)),
    neighbour: () => here(join(project, '..', bin)),
    /** Runs the script as npm does. */
    prune(variables: Record<string, string>) {
      const { npm_config_os: _, npm_config_cpu: __, HYPERSPHERE_KEEP_BINARIES: ___, ...env } = process.env;
      const done = spawnSync(process.execPath, [join(root, 'scripts', 'prune-runtime.mjs')], {
        env: { ...env, ...variables },
        encoding: 'utf8',
      });
      expect(done).toMatchObject({ status: 0, stdout: '', stderr: '' });
    },
  };
}

test('only the binaries of the system that is installed for stay, and a neighbour keeps all', () => {
  const { prune, own, neighbour } = installed();
  prune({ npm_config_os: 'linux', npm_config_cpu: 'arm64' });
  expect(own()).toEqual(['linux/arm64']);
  expect(neighbour()).toEqual(systems);
});

test('without flags the system is this one', () => {
  const { prune, own } = installed();
  prune({});
  const here = `${process.platform}/${process.arch}`;
  expect(own()).toEqual(systems.includes(here) ? [here] : systems);
});

test('everything stays by HYPERSPHERE_KEEP_BINARIES, on a system without binaries and in a checkout', () => {
  const { prune, own, root } = installed();
  prune({ HYPERSPHERE_KEEP_BINARIES: '1' });
  expect(own()).toEqual(systems);
  prune({ npm_config_os: 'freebsd', npm_config_cpu: 'x64' });
  expect(own()).toEqual(systems);
  mkdirSync(join(root, 'src'));
  prune({});
  expect(own()).toEqual(systems);
});

test('a package without the runtime, or with another layout, is no failure', () => {
  const bare = join(temporaryFolder(), 'hypersphere');
  mkdirSync(join(bare, 'scripts'), { recursive: true });
  copyFileSync(script, join(bare, 'scripts', 'prune-runtime.mjs'));
  const run = () => spawnSync(process.execPath, [join(bare, 'scripts', 'prune-runtime.mjs')]).status;
  expect(run()).toBe(0);
  mkdirSync(join(bare, 'node_modules', 'onnxruntime-node'), { recursive: true });
  writeFileSync(join(bare, 'node_modules', 'onnxruntime-node', 'bin'), 'a file');
  expect(run()).toBe(0);
});
