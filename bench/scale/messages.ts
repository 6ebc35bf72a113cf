// What the ranks of a step exchange, read off the step that they would run: nothing is run for it.
import { lowerStages } from '../../src/lower/index.js';
import { describeNetwork } from '../../src/nn/index.js';
import { type RankOptions, stepOnRank } from '../../src/train/rank-program.js';
import type { Message } from './model.js';

/** As in src/runtime/staged-program.ts: smaller values of one moment share a message. */
const SMALL = 2 ** 16;
const BYTES = 4;

/** The messages of one step on each of `ranks`. */
export function messagesOf(options: RankOptions, ranks: number): Message[] {
  const step = stepOnRank(options, { rank: 0, size: ranks });
  const { formulations } = options;
  const { exchanges, stages } = lowerStages(step.graph, { target: 'cpu', formulations });
  const last = stages.length - 1;
  const messages: Message[] = [];
  for (let after = 0; after <= last; after++) {
    const due = exchanges.filter((exchange) => exchange.after === after);
    const small = new Map<string, number>();
    for (const { kind, reduction, physicalShape, before } of due) {
      const count = physicalShape.reduce((a, b) => a * b, 1);
      // Whatever the last stage alone waits for is a gradient on its way into the update.
      const gradient = kind === 'allReduce' && before >= last;
      if (kind === 'allGather') messages.push({ kind, bytes: (BYTES * count) / ranks, gradient });
      else if (count >= SMALL) messages.push({ kind, bytes: BYTES * count, gradient });
      else {
        const key = `${reduction} ${gradient}`;
        small.set(key, (small.get(key) ?? 0) + BYTES * count);
      }
    }
    for (const [key, bytes] of small)
      messages.push({ kind: 'allReduce', bytes, gradient: key.endsWith('true') });
  }
  return messages;
}

/**
 * The parts of a backward pass cut where as many bytes of gradients lie before as behind: the share of the computing
 * and of the bytes of each, last layers first.
 */
export function backwardShares(net: string, parts: number): { computing: number; gradients: number }[] {
  const layers = describeNetwork(net).layers.toReversed();
  const [bytes, work] = [
    layers.reduce((sum, { parameters }) => sum + parameters, 0),
    layers.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0),
  ];
  const shares = Array.from({ length: parts }, () => ({ computing: 0, gradients: 0 }));
  let before = 0;
  for (const { parameters, multiplyAdds } of layers) {
    const share = shares[Math.min(parts - 1, Math.floor((parts * before) / bytes))]!;
    share.computing += multiplyAdds / work;
    share.gradients += parameters / bytes;
    before += parameters;
  }
  return shares.filter(({ gradients }) => gradients > 0);
}
