// The same network in TensorFlow.js, for the benchmark: reads its layers and weights from files, prints one JSON line
// with its version and the first embedding, then embeds a batch for every line on standard input and answers with the
// milliseconds, or with `error <message>`.
// Arguments: folder that holds node_modules with @tensorflow/tfjs, layers file, height, width, batch, threads.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';

const [folder, file, ...sizes] = process.argv.slice(2);
const [height, width, batch, threads] = sizes.map(Number);
const require = createRequire(path.join(path.resolve(folder), 'anything.js'));

// The library greets on standard output and warns on every import; keep the line protocol clean.
console.log = console.info = console.warn = (...parts) => process.stderr.write(`${parts.join(' ')}\n`);
const say = (line) => process.stdout.write(`${line}\n`);

const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');
wasm.setThreadsCount(threads);
await tf.setBackend('wasm');
await tf.ready();

const { layers, output } = JSON.parse(readFileSync(file, 'utf8'));
const bytes = readFileSync(file.replace(/json$/, 'bin'));
const numbers = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
const tensor = ({ start, shape }) =>
  tf.tensor(numbers.slice(start, start + shape.reduce((a, b) => a * b, 1)), shape);

/** A layer as a function of its inputs; images are [N, H, W, C] here. */
function build({ op, attributes = {}, weights }) {
  const [weight, bias] = weights.map(tensor);
  if (op === 'Conv') {
    const { group = 1, strides = [1, 1], pads = [0, 0, 0, 0] } = attributes;
    const padding = [
      [0, 0],
      [pads[0], pads[2]],
      [pads[1], pads[3]],
      [0, 0],
    ];
    if (group > 1 && weight.shape[1] !== 1) throw new Error('groups are not known here');
    const kernel = tf.keep(tf.transpose(weight, group > 1 ? [2, 3, 0, 1] : [2, 3, 1, 0]));
    return ([x]) => {
      const y =
        group > 1 ? tf.depthwiseConv2d(x, kernel, strides, padding) : tf.conv2d(x, kernel, strides, padding);
      return bias ? tf.add(y, bias) : y;
    };
  }
  if (op === 'PRelu') {
    const slope = tf.keep(tf.reshape(weight, [weight.size]));
    return ([x]) => tf.prelu(x, slope);
  }
  if (op === 'Gemm' || op === 'MatMul') {
    return ([x]) => {
      const y = tf.matMul(x, weight, false, attributes.transB === 1);
      return bias ? tf.add(y, bias) : y;
    };
  }
  if (op === 'Add' && weights.length === 0) return ([a, b]) => tf.add(a, b);
  // Rows are filled channel by channel, as the weights after them expect.
  if (op === 'Reshape') return ([x]) => tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [x.shape[0], -1]);
  throw new Error(`${op} is not known here`);
}

const steps = layers.map((layer) => ({ ...layer, run: build(layer) }));
const flat = Float32Array.from(
  { length: batch * 3 * height * width },
  (_, i) => ((i * 7919) % 2003) / 1001.5 - 1,
);
const images = tf.keep(tf.transpose(tf.tensor(flat, [batch, 3, height, width]), [0, 2, 3, 1]));

const embed = async () => {
  const embedding = tf.tidy(() => {
    const values = new Map([['images', images]]);
    for (const { inputs, output, run } of steps)
      values.set(output, run(inputs.map((name) => values.get(name))));
    return values.get(output);
  });
  const data = await embedding.data();
  embedding.dispose();
  return data;
};

const first = await embed();
say(
  JSON.stringify({
    version: tf.version.tfjs,
    threads: wasm.getThreadsCount(),
    embedding: [...first.slice(0, first.length / batch)],
  }),
);
for await (const _ of createInterface({ input: process.stdin })) {
  try {
    const start = performance.now();
    await embed();
    say((performance.now() - start).toFixed(3));
  } catch (error) {
    say(`error ${error.message}`);
  }
}
