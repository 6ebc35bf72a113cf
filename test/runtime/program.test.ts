// Programs: state stays between runs in any layout, and mistakes are named.
import { afterEach, describe, expect, test } from 'vitest';
import { UserError } from '../../src/common/errors.js';
import { Program } from '../../src/runtime/program.js';
import { devicesHere } from './devices-here.js';
import { tinyFeeds, tinyState, tinyStep, tinyTruth } from './tiny-step.js';

let program: Program | undefined;
afterEach(async () => {
  await program?.dispose();
  program = undefined;
});
const open = async (target: 'cpu' | 'webgpu') => {
  program = await Program.open(tinyStep(), { target, threads: 1, spin: false });
  return program;
};

describe.each(await devicesHere())('a program on %s', (target) => {
  test('takes the steps that plain arithmetic takes, and gives the state back in its logical layout', async () => {
    const tiny = await open(target);
    tiny.setState(tinyState);
    const truth = tinyTruth(20);
    for (let step = 0; step < 20; step++) {
      const { loss } = await tiny.run(tinyFeeds);
      expect(loss!.shape).toEqual([]);
      expect(loss!.data[0]).toBeCloseTo(truth.losses[step]!, 4);
    }
    const state = await tiny.getState();
    expect([...state.keys()]).toEqual(['w', 'offset']);
    state.get('w')!.forEach((value, i) => {
      expect(value).toBeCloseTo(truth.w[i]!, 4);
    });
    expect([...state.get('offset')!]).toEqual([...tinyState.offset]);
  });

  test('state that is set again replaces the old, and what was handed over is copied', async () => {
    const tiny = await open(target);
    const mine = { w: Float32Array.from(tinyState.w), offset: Float32Array.from(tinyState.offset) };
    tiny.setState(new Map(Object.entries(mine)));
    mine.w.fill(9);
    const first = (await tiny.run(tinyFeeds)).loss!.data[0];
    const second = (await tiny.run(tinyFeeds)).loss!.data[0];
    expect(second).not.toBe(first);
    tiny.setState({ w: tinyState.w });
    expect((await tiny.run(tinyFeeds)).loss!.data[0]).toBe(first);
    tiny.setState({ w: tinyState.w, offset: Float32Array.of(5, 5, 5) });
    expect((await tiny.run(tinyFeeds)).loss!.data[0]).not.toBe(first);
    expect([...(await tiny.getState()).get('offset')!]).toEqual([5, 5, 5]);
  });

  test('a run that fails leaves the state as it was', async () => {
    const tiny = await open(target);
    tiny.setState(tinyState);
    await expect(tiny.run({ ...tinyFeeds, x: new Float32Array(3) })).rejects.toThrow(UserError);
    expect([...(await tiny.getState()).get('w')!]).toEqual([...tinyState.w]);
  });
});

describe('mistakes are named with the shapes', () => {
  test.each([
    ['a missing feed', { x: tinyFeeds.x, rate: 1 }, /feed 'target' \[4, 3\] float32 is missing/],
    ['an unknown feed', { ...tinyFeeds, images: 1 }, /feed 'images' is not an input.*x, target, rate/],
    [
      'a feed of the wrong size',
      { ...tinyFeeds, x: new Float32Array(7) },
      /'x' has shape \[4, 2\].*7 were given/,
    ],
    ['a number for an array', { ...tinyFeeds, x: 1 }, /'x' has shape \[4, 2\].*1 were given/],
  ])('%s', async (_, feeds, message) => {
    const tiny = await open('cpu');
    tiny.setState(tinyState);
    await expect(tiny.run(feeds as typeof tinyFeeds)).rejects.toThrow(message);
  });

  test('state that is missing, unknown or of the wrong size', async () => {
    const tiny = await open('cpu');
    tiny.setState({ w: tinyState.w });
    await expect(tiny.run(tinyFeeds)).rejects.toThrow(/state 'offset' \[3\] was never set/);
    await expect(tiny.getState()).rejects.toThrow(/offset/);
    expect(() => tiny.setState({ momentum: tinyState.w })).toThrow(/'momentum' is not part.*w, offset/);
    expect(() => tiny.setState({ w: new Float32Array(5) })).toThrow(/'w' has shape \[2, 3\].*5 were given/);
  });

  test('two runs at once, and use after disposal', async () => {
    const tiny = await open('cpu');
    tiny.setState(tinyState);
    const running = tiny.run(tinyFeeds);
    await expect(tiny.run(tinyFeeds)).rejects.toThrow(/still running/);
    await running;
    await tiny.dispose();
    await expect(tiny.run(tinyFeeds)).rejects.toThrow(/disposed/);
  });
});
