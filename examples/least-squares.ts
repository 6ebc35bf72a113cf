// Least squares by gradient descent: one graph holds the model, its gradient and the update.
// Run it with: npx tsx examples/least-squares.ts
import { graph, openDevice, random } from '../src/index.js';

const { gradients, input, matmul, mean, mul, parameter, square, sub } = graph;

const x = input('x', [32, 3]);
const y = input('y', [32, 1]);
const w = parameter('w', [3, 1]);
const loss = mean(square(sub(matmul(x, w), y)));
const [gradient] = gradients(loss, [w]);

const device = await openDevice('cpu');
const program = await device.compile({
  inputs: [x, y],
  state: [{ parameter: w, next: sub(w, mul(gradient!, 0.1)) }],
  outputs: { loss },
});
program.setState({ w: new Float32Array(3) });

const truth = [1, -2, 3];
const stream = random(1, 'samples');
for (let step = 1; step <= 100; step++) {
  const xs = Float32Array.from({ length: 32 * 3 }, () => stream.normal());
  const ys = Float32Array.from({ length: 32 }, (_, i) =>
    truth.reduce((sum, t, j) => sum + t * xs[3 * i + j]!, 0),
  );
  const { loss: value } = await program.run({ x: xs, y: ys });
  if (step % 20 === 0) console.log(`step ${step}: loss ${value!.data[0]!.toExponential(2)}`);
}
const learned = (await program.getState()).get('w')!;
console.log(`w = ${Array.from(learned, (v) => v.toFixed(3)).join(', ')}`);
await device.close();
