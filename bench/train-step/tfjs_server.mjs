// The same training step in TensorFlow.js, for the benchmark: prints one JSON line about itself, then runs one
// step for every line on standard input and answers with its milliseconds, or with `error <message>`.
// Arguments: folder that holds node_modules with @tensorflow/tfjs, backend (wasm | cpu), depth, batch, classes.
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';

const [folder, backend, ...sizes] = process.argv.slice(2);
const [depth, batch, classes] = sizes.map(Number);
const require = createRequire(path.join(path.resolve(folder), 'anything.js'));

// The library greets on standard output and warns on every import; keep the line protocol clean.
console.log = console.info = console.warn = (...parts) => process.stderr.write(`${parts.join(' ')}\n`);
const say = (line) => process.stdout.write(`${line}\n`);

const tf = require('@tensorflow/tfjs');
if (backend === 'wasm') require('@tensorflow/tfjs-backend-wasm');
await tf.setBackend(backend);
await tf.ready();

const UNITS = { 4: [0, 0, 0, 0], 10: [0, 1, 2, 0], 20: [1, 2, 4, 1], 36: [2, 4, 8, 2], 64: [3, 8, 16, 3] };
const variable = (shape, fanIn) =>
  tf.variable(tf.randomUniform(shape, -Math.sqrt(3 / fanIn), Math.sqrt(3 / fanIn), 'float32', 1));

/** One convolution (NHWC) with its PReLU. */
function unit(inputs, filters, stride) {
  const kernel = variable([3, 3, inputs, filters], 9 * inputs);
  const bias = stride === 2 ? tf.variable(tf.zeros([filters])) : null;
  const slope = tf.variable(tf.fill([filters], 0.25));
  return (x) => {
    const y = tf.conv2d(
      x,
      kernel,
      stride,
      stride === 2
        ? [
            [0, 0],
            [1, 1],
            [1, 1],
            [0, 0],
          ]
        : 'same',
    );
    return tf.prelu(bias ? tf.add(y, bias) : y, slope);
  };
}

const layers = [];
let channels = 3;
[64, 128, 256, 512].forEach((filters, stage) => {
  layers.push(unit(channels, filters, 2));
  for (let i = 0; i < UNITS[depth][stage]; i++) {
    const first = unit(filters, filters, 1);
    const second = unit(filters, filters, 1);
    layers.push((x) => tf.add(x, second(first(x))));
  }
  channels = filters;
});
const fc = variable([7 * 6 * 512, 512], 7 * 6 * 512);
const fcBias = tf.variable(tf.zeros([512]));
const head = variable([512, classes], 512);
const headBias = tf.variable(tf.zeros([classes]));

const images = tf.randomUniform([batch, 112, 96, 3], -1, 1, 'float32', 2);
const labels = tf.oneHot(
  tf.tensor1d(
    Array.from({ length: batch }, (_, i) => i % classes),
    'int32',
  ),
  classes,
);
const optimiser = tf.train.momentum(0.01, 0.9);

say(JSON.stringify({ version: tf.version.tfjs }));
for await (const _ of createInterface({ input: process.stdin })) {
  const start = performance.now();
  try {
    const loss = optimiser.minimize(() => {
      const features = layers.reduce((x, layer) => layer(x), images).reshape([batch, -1]);
      const logits = features.matMul(fc).add(fcBias).matMul(head).add(headBias);
      return tf.losses.softmaxCrossEntropy(labels, logits);
    }, true);
    await loss.data();
    loss.dispose();
    say((performance.now() - start).toFixed(3));
  } catch (error) {
    say(`error ${String(error.message).split('\n')[0]}`);
  }
}
